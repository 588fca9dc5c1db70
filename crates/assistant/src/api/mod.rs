//! HTTP in and out, one file a group of operations.

mod about;
mod chat;
mod console;
mod facade;
mod handover;
mod object;
mod transcript;

use plinth_api::RequestContext;
use plinth_kernel::PrincipalKind;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Assistant;
use crate::answering::Asker;
use crate::store::Access;

pub(crate) fn routes(assistant: Assistant) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(chat::chat_with_assistant))
        .routes(routes!(chat::follow_assistant_stream))
        .routes(routes!(chat::stop_assistant))
        .routes(routes!(transcript::get_assistant_chat, transcript::delete_assistant_chat))
        .routes(routes!(transcript::rate_assistant_message))
        .routes(routes!(handover::request_assistant_handover))
        .routes(routes!(about::list_assistant_suggestions))
        .routes(routes!(about::get_assistant_config))
        .routes(routes!(console::list_assistant_conversations))
        .routes(routes!(console::get_assistant_conversation))
        .routes(routes!(facade::create_chat_completion))
        .routes(routes!(facade::list_models))
        .with_state(assistant)
}

/// What the caller may see. Behind a publishable key stand strangers, so their address is part of who they are.
fn access(ctx: &RequestContext) -> Access {
    let caller = ctx.idempotency_caller();
    Access {
        tenant: ctx.tenant().clone(),
        owner: if caller.is_empty() { ctx.principal.actor.to_string() } else { caller },
        privileged: matches!(
            ctx.principal.kind,
            PrincipalKind::SecretKey | PrincipalKind::PersonalKey | PrincipalKind::Session
        ),
    }
}

fn asker(ctx: &RequestContext) -> Asker {
    Asker {
        access: access(ctx),
        actor: ctx.principal.actor.clone(),
        trace: ctx.trace,
        idempotency_key: ctx.idempotency_key.clone(),
    }
}
