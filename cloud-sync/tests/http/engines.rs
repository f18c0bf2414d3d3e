//! Stories that must go the same way on both engines.

/// Makes each of the named functions of a [`Service`](super::service::Service) a test on each engine.
macro_rules! on_each_engine {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(&mut crate::service::start_at(None).await).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let database = crate::postgres::Database::create();
                let mut service = crate::service::start_at(Some(database.url())).await;
                super::$story(&mut service).await;
                service.stop().await;
            })+
        }
    };
}

pub(crate) use on_each_engine;
