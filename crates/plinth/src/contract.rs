//! The contract: every system's operations in one OpenAPI document.

use plinth_gateway::version::CURRENT;
use utoipa::openapi::{
    Components, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

const DESCRIPTION: &str = "\
Forms, notifications, a site and an assistant behind one API.

Errors are `application/problem+json` (RFC 9457) with a stable `code`. Every unsafe operation takes an `Idempotency-Key`. \
Lists are keyset pages. `Plinth-Version` names a dated version of this contract; a key is pinned to the one it was made with.";

/// Tags in the order in which they are read.
const TAGS: &[(&str, &str)] = &[
    ("Session", "Signing in, and who one is."),
    ("Tenants", "Organisations' spaces: live and test."),
    ("Members", "Who may do what, and invitations."),
    ("API keys", "Keys of servers, people and pages."),
    ("User tokens", "Tokens of your own end users, and whose tokens are trusted."),
    ("Overview", "Live figures."),
    ("Forms", "Definitions: drafted, published as immutable versions."),
    ("Submissions", "Answers to published forms."),
    ("Workflows", "On which event, whom to tell, in which words."),
    ("Notifications", "What was sent to whom, with every attempt."),
    ("Inbox", "A member's inbox."),
    ("Mails", "The file outbox, while no mail server is configured."),
    ("Assistant", "Questions and answers over the site's content."),
    ("Site", "The public site."),
    ("Realtime", "Tokens for live connections."),
    ("Flow", "Events, consumers, jobs, schedules and dead letters."),
    ("Requests", "The request log and traces."),
    ("Audit", "Who changed what."),
];

/// Puts the parts together.
pub fn assemble(parts: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Plinth")
                .version(CURRENT.to_string())
                .description(Some(DESCRIPTION))
                .contact(Some(ContactBuilder::new().name(Some("Plinth")).build()))
                .license(Some(
                    LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build(),
                ))
                .build(),
        )
        .servers(Some([Server::new("/")]))
        .components(Some(Components::new()))
        .build();
    for part in parts {
        document.merge(part);
    }
    let components = document.components.get_or_insert_with(Components::new);
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    // Every operation answers problems in one shape, named here once.
    components
        .schemas
        .insert("Problem".to_owned(), <plinth_api::ProblemBody as utoipa::PartialSchema>::schema());
    let mut nested = Vec::new();
    <plinth_api::ProblemBody as utoipa::ToSchema>::schemas(&mut nested);
    components.schemas.extend(nested);
    let known =
        TAGS.iter().map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build());
    document.tags = Some(known.collect());
    document
}

fn schemes() -> Vec<(&'static str, SecurityScheme)> {
    let bearer = |format: &str, text: &str| {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).description(Some(text));
        SecurityScheme::Http(scheme.build())
    };
    let cookie = |name: &str, text: &str| {
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, text)))
    };
    vec![
        ("secret_key", bearer("plk_live_…", "A secret API key, for servers.")),
        ("publishable_key", bearer("plk_live_…", "A publishable API key, for pages.")),
        ("user_token", bearer("JWT", "A short-lived token of one of your end users.")),
        ("session", cookie("plinth_session", "A console session.")),
        (
            "visitor",
            cookie(
                "plinth_visitor",
                "A visitor of the site that this host shows; the cookie is issued on the first answer.",
            ),
        ),
    ]
}
