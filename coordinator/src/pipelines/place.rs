//! Places of files as whoever works with pipelines names them, outside of their files too.

use flowetl_proto::catalogue::Places;
use flowetl_proto::pipeline::{ConnectionSpec, Reference, nearest_word};

use super::Pipelines;
use crate::accounts::Refusal;

impl Pipelines {
    /// The connection and the path, which may hold wildcards, of `connection/path`, as an organization's pipelines read it.
    pub(crate) async fn files_at(
        &self,
        organization: &str,
        place: &str,
    ) -> Result<(ConnectionSpec, Reference), Refusal> {
        let wrong = |message: String| Refusal::Wrong { field: "place", message };
        let parts = place.split_once('/').filter(|(name, path)| !name.is_empty() && !path.is_empty());
        let Some((name, path)) = parts else {
            let message = format!("`{place}` is no place of files: write `connection/path`, such as `files/raw/*.csv`");
            return Err(wrong(message));
        };
        let mut known = self.known(organization).await?;
        let Some(spec) = known.connections.swap_remove(name) else {
            let near = nearest_word(name, known.connections.keys().map(String::as_str));
            let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            return Err(wrong(format!("there is no connection `{name}`{hint}")));
        };
        let connector = known.catalogue.connector_for_scheme(&spec.scheme);
        if connector.is_some_and(|connector| connector.places != Places::Paths) {
            return Err(wrong(format!("`{name}` holds tables: files arrive in folders and buckets")));
        }
        if path.split('/').any(|part| part == ".." || part == ".") {
            return Err(wrong(format!("`{path}` leaves the folder of `{name}`")));
        }
        Ok((spec, Reference::Path { connection: name.to_owned(), path: path.to_owned(), format: None }))
    }
}
