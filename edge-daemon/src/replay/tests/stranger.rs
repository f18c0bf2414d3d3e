//! What answers with TLS and cannot show that it is the cloud.

use std::{net::TcpListener, sync::Arc, thread};

use rustls::{
    ServerConfig, ServerConnection, Stream,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::stories::Story;
use crate::{journal::tests::fixture::facts, replay::ReplayState};

/// A certificate for `localhost` that nobody has issued, with its key. Good for this test alone.
const STRANGER: &str = include_str!("stranger.pem");

/// Somebody else's server; returns its address.
fn stranger() -> String {
    crate::tls::install();
    let certificate = CertificateDer::from_pem_slice(STRANGER.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(STRANGER.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut tls = ServerConnection::new(config.clone()).unwrap();
            // The other side breaks it off as soon as it has seen the certificate.
            let _ = std::io::Write::write(&mut Stream::new(&mut tls, &mut socket), b"welcome");
        }
    });
    url
}

#[tokio::test]
async fn a_certificate_of_a_stranger_is_named_and_nothing_is_lost() {
    let mut story = Story::begin(vec![], facts(7)).await;
    story.until_synced().await;
    let cloud = std::mem::replace(&mut story.cloud.url, stranger());
    story.pause();
    story.go_on();
    story.journal.append(facts(3)).await.unwrap();
    let status = story.until(ReplayState::NotTheCloud).await;
    assert!(status.detail.contains("not trusted to be the cloud"), "{}", status.detail);
    assert!(status.detail.contains("nobody whom this machine trusts"), "{}", status.detail);
    assert_eq!(*story.journal.acked().borrow(), 7);
    story.pause();
    story.cloud.url = cloud;
    story.go_on();
    story.until_synced().await;
    story.end();
}
