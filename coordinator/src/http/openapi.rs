//! The API's description in OpenAPI 3.1, made from the handlers; `coordinator/openapi.json` is a copy of it for people and
//! for programs that write clients.

use utoipa::openapi::{OpenApi as Document, Ref, RefOr};
use utoipa::{Modify, OpenApi};

use super::health;
use super::problem::Problem;

#[derive(OpenApi)]
#[openapi(
    info(title = "FlowETL", version = "1", description = "Pipelines, their runs, and who may see and do what."),
    servers((url = "/api/v1")),
    paths(health::health),
    components(schemas(Problem)),
    modifiers(&EveryCall)
)]
struct Api;

/// What holds for every call.
struct EveryCall;

impl Modify for EveryCall {
    fn modify(&self, document: &mut Document) {
        let refused = RefOr::Ref(Ref::from_response_name("problem"));
        let answer = utoipa::openapi::ResponseBuilder::new()
            .description("The call was refused: the status and `detail` say why.")
            .content(
                "application/problem+json",
                utoipa::openapi::ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
            );
        if let Some(components) = &mut document.components {
            components.responses.insert("problem".to_owned(), answer.build().into());
        }
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), refused.clone());
            }
        }
    }
}

/// The description.
pub(super) fn document() -> Document {
    Api::openapi()
}

/// The description as text, the same for every build of one version.
pub(super) fn text() -> String {
    // A tree of names and texts is always JSON.
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
