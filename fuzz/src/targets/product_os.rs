//! Any two texts are a name and a build of an operating system, or say why not.

use labward_product::OperatingSystem;

pub fn run(data: &[u8]) {
    let Some(data) = crate::read::<(&str, &str)>(data) else { return };
    if let Ok(os) = OperatingSystem::read(data.0, data.1) {
        assert!(!os.release.is_empty());
        assert_eq!(OperatingSystem::read(data.0, data.1), Ok(os));
    }
}
