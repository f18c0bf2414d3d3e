//! Why what answers in the cloud's place is not trusted, in words that help on.

use std::{error::Error, io, iter::successors};

use rustls::{CertificateError, Error as TlsError};

/// What TLS says against who answers; none where the error is another.
pub(super) fn why(error: &(dyn Error + 'static)) -> Option<String> {
    let certificate = successors(Some(error), |error| (*error).source()).find_map(certificate)?;
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    let wrong = match &certificate {
        UnknownIssuer => {
            "nobody whom this machine trusts has issued its certificate: something before the \
             cloud opens connections (a captive portal, a proxy), or the cloud's authority is \
             missing in this machine's certificates"
        }
        NotValidForName | NotValidForNameContext { .. } => {
            "its certificate is for another name: check the cloud's address"
        }
        Expired | ExpiredContext { .. } => {
            "its certificate has expired, or this machine's clock is wrong"
        }
        NotValidYet | NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this machine's clock is wrong"
        }
        _ => "its certificate is not good",
    };
    Some(format!("what answers is not trusted to be the cloud: {wrong} ({certificate})"))
}

/// The error of a certificate itself; errors of input and output hide what they are made of, one in
/// the other.
fn certificate(error: &(dyn Error + 'static)) -> Option<CertificateError> {
    if let Some(hidden) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return certificate(hidden);
    }
    match error.downcast_ref::<TlsError>()? {
        TlsError::InvalidCertificate(certificate) => Some(certificate.clone()),
        _ => None,
    }
}
