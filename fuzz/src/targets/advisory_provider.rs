//! Any bytes as a list of documents: a list within bounds whose paths never lead out of their directory, or none.

use labward_advisory::Limits;
use labward_advisory::provider::Listing;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::default()
    };
    for name in ["changes.csv", "index.txt", "feed.json"] {
        match Listing::parse(name, data, &limits) {
            None => {}
            Some(Listing::Directory(list)) => {
                assert!(list.entries.len() <= 20);
                assert!(list.flaws.listed().len() <= 20);
                for one in list.entries {
                    assert!(!one.address.split('/').any(|part| matches!(part, "" | "." | "..")));
                }
            }
            Some(Listing::Feed(list)) => assert!(list.entries.len() <= 20),
            Some(Listing::Provider(provider)) => assert!(provider.directories.len() <= 20),
        }
    }
}
