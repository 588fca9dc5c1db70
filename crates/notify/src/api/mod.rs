//! HTTP in and out, one file a group of operations.

mod inbox;
mod mails;
mod notifications;
mod workflows;

use crate::Notify;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes(notify: Notify) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(workflows::list_workflows, workflows::create_workflow))
        .routes(routes!(workflows::get_workflow, workflows::update_workflow, workflows::delete_workflow))
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::get_notification))
        .routes(routes!(notifications::replay_notification))
        .routes(routes!(inbox::list_inbox))
        .routes(routes!(inbox::get_inbox_summary))
        .routes(routes!(inbox::read_inbox_item))
        .routes(routes!(inbox::read_all_inbox_items))
        .routes(routes!(mails::list_mails))
        .routes(routes!(mails::get_mail))
        .with_state(notify)
}
