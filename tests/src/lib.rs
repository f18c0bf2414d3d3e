//! What stands in for a site in tests and in the demo: the real binaries, a real broker, a real
//! serial line, and simulated hardware that speaks the real protocols.

pub mod balancer;
pub mod barrier;
pub mod browser;
pub mod camera;
pub mod charger;
pub mod clock;
pub mod device;
pub mod disk;
pub mod fleet;
pub mod hall;
pub mod line;
pub mod locker;
pub mod modbus;
pub mod mosquitto;
pub mod netns;
pub mod postgres;
pub mod process;
pub mod scenario;
pub mod serial;
pub mod site;
pub mod traffic;
pub mod vision;
