//! Limits of notifications, in one place.

/// Most workflows of a tenant that are looked at for one event.
pub const WORKFLOWS_PER_TENANT_MAX: usize = 200;
/// Most steps of a workflow.
pub const STEPS_MAX: usize = 30;
/// Most conditions of a trigger.
pub const CONDITIONS_MAX: usize = 20;
/// Most recipients that one step reaches.
pub const RECIPIENTS_MAX: usize = 500;
/// Longest name, in characters.
pub const NAME_MAX_CHARS: usize = 120;
/// Longest `external_id`, in characters.
pub const EXTERNAL_ID_MAX_CHARS: usize = 128;
/// Longest template, in characters.
pub const TEMPLATE_MAX_CHARS: usize = 50_000;
/// Instructions that rendering one template may take.
pub const TEMPLATE_FUEL: u64 = 100_000;
/// Longest rendered text of one part, in bytes.
pub const RENDERED_MAX_BYTES: usize = 256 * 1024;
/// Longest subject or title, in characters. RFC 5322 §2.1.1 bounds a line at 998.
pub const SUBJECT_MAX_CHARS: usize = 500;
/// Attempts of an e-mail before it is a dead letter.
pub const EMAIL_ATTEMPTS_MAX: u32 = 8;
/// How long one attempt of an e-mail may take, in milliseconds.
pub const EMAIL_TIMEOUT_MS: u64 = 60_000;
/// How often an e-mail whose outcome is unknown is sent again: one copy too many is better than none.
pub const EMAIL_UNKNOWN_RETRIES_MAX: u32 = 1;
/// Inbox items of a member that "read all" changes in one unit of work.
pub const READ_ALL_MAX: i64 = 1_000;
/// Largest mail that the file outbox shows whole, in bytes.
pub const RAW_MAIL_MAX_BYTES: u64 = 1024 * 1024;
