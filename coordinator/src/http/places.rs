//! Who listens for what happens: so many at once in all, of one organization, and of one person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// In all: more than people look at a console. Connections are left for calls then.
pub(super) const LISTENERS_MAX: usize = 512;
/// Of one organization: another has as many left.
pub(super) const OF_ORGANIZATION_MAX: usize = 256;
/// Of one person: windows of some browsers, and scripts.
pub(super) const OF_PERSON_MAX: usize = 64;

/// The places there are. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    organizations: HashMap<String, usize>,
    people: HashMap<String, usize>,
}

/// One of them, taken until this is dropped.
pub(super) struct Place {
    places: Places,
    organization: String,
    person: String,
}

/// Whose places are all taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    All,
    Organization,
    Person,
}

impl Places {
    pub(super) fn take(&self, organization: &str, person: &str) -> Result<Place, Full> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |counts: &HashMap<String, usize>, key: &str| counts.get(key).copied().unwrap_or(0);
        if of(&taken.people, person) >= OF_PERSON_MAX {
            return Err(Full::Person);
        }
        if of(&taken.organizations, organization) >= OF_ORGANIZATION_MAX {
            return Err(Full::Organization);
        }
        if taken.all >= LISTENERS_MAX {
            return Err(Full::All);
        }
        taken.all += 1;
        *taken.organizations.entry(organization.to_owned()).or_default() += 1;
        *taken.people.entry(person.to_owned()).or_default() += 1;
        Ok(Place { places: self.clone(), organization: organization.to_owned(), person: person.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        leave(&mut taken.organizations, &self.organization);
        leave(&mut taken.people, &self.person);
    }
}

fn leave(counts: &mut HashMap<String, usize>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_of_a_person_an_organization_and_all() {
        let places = Places::default();
        let mut taken: Vec<_> = (0..OF_PERSON_MAX).map(|_| places.take("acme", "ann").unwrap()).collect();
        assert_eq!(places.take("acme", "ann").err(), Some(Full::Person));
        assert_eq!(places.take("other", "ann").err(), Some(Full::Person));
        taken.extend((OF_PERSON_MAX..OF_ORGANIZATION_MAX).map(|n| places.take("acme", &n.to_string()).unwrap()));
        assert_eq!(places.take("acme", "bob").err(), Some(Full::Organization));
        taken.extend((OF_ORGANIZATION_MAX..LISTENERS_MAX).map(|n| places.take("other", &n.to_string()).unwrap()));
        assert_eq!(places.take("third", "bob").err(), Some(Full::All));
        taken.swap_remove(0);
        let _again = places.take("acme", "ann").unwrap();
        drop(taken);
        assert_eq!(places.0.lock().unwrap().people.len(), 1, "who has gone is forgotten");
    }
}
