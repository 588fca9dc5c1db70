//! HTTP in and out, one file a group of operations.

mod forms;
mod object;
mod publish;
mod submissions;

use crate::Forms;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes(forms: Forms) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(forms::list_forms, forms::create_form))
        .routes(routes!(forms::get_form, forms::update_form, forms::delete_form))
        .routes(routes!(publish::get_form_draft, publish::save_form_draft))
        .routes(routes!(publish::publish_form))
        .routes(routes!(publish::list_form_versions))
        .routes(routes!(publish::get_form_version))
        .routes(routes!(publish::get_published_form))
        .routes(routes!(submissions::create_submission))
        .routes(routes!(submissions::export_submissions))
        .routes(routes!(submissions::list_submissions))
        .routes(routes!(submissions::get_submission, submissions::delete_submission))
        .with_state(forms)
}
