//! Limits of forms, in one place.

/// Largest definition, in bytes of its JSON.
pub const DEFINITION_MAX_BYTES: usize = 256 * 1024;
/// Most pages of a form.
pub const PAGES_MAX: usize = 100;
/// Most fields of a form.
pub const FIELDS_MAX: usize = 1_000;
/// Most choices of a field.
pub const CHOICES_MAX: usize = 1_000;
/// Longest key of a field or choice, in characters.
pub const KEY_MAX_CHARS: usize = 64;
/// Longest label, help or message, in characters.
pub const LABEL_MAX_CHARS: usize = 1_000;
/// Longest pattern, in characters.
pub const PATTERN_MAX_CHARS: usize = 500;
/// Most fields with a pattern: each is compiled when a definition is checked.
pub const PATTERNS_MAX: usize = 100;
/// Largest compiled pattern, in bytes: the automaton is linear in the text, this bounds its own size.
pub const PATTERN_MAX_COMPILED_BYTES: usize = 256 * 1024;
/// Longest text answer when a field does not say, in characters.
pub const TEXT_DEFAULT_MAX_CHARS: u32 = 1_000;
/// Longest text answer that a field may allow, in characters.
pub const TEXT_MAX_CHARS: u32 = 50_000;
/// Most locales of a definition.
pub const LOCALES_MAX: usize = 30;
/// Largest submission, in bytes of its JSON.
pub const SUBMISSION_MAX_BYTES: usize = 256 * 1024;
/// Longest name of a form, in characters.
pub const NAME_MAX_CHARS: usize = 120;
/// Longest `external_id`, in characters.
pub const EXTERNAL_ID_MAX_CHARS: usize = 128;
/// Most entries of an object's metadata.
pub const METADATA_ENTRIES_MAX: usize = 50;
/// Longest metadata key, in characters.
pub const METADATA_KEY_MAX_CHARS: usize = 40;
/// Longest metadata value, in characters.
pub const METADATA_VALUE_MAX_CHARS: usize = 500;
/// Submissions that one origin may hand in to one form within [`ORIGIN_WINDOW_SECONDS`].
pub const ORIGIN_SUBMISSIONS_MAX: i64 = 10;
/// The window of [`ORIGIN_SUBMISSIONS_MAX`], in seconds.
pub const ORIGIN_WINDOW_SECONDS: i64 = 600;
/// Rows that an export reads at a time.
pub const EXPORT_PAGE_ROWS: i64 = 500;
/// Largest answers, in bytes of their JSON, that an event carries whole: twice that, with labels, stays below the log's own
/// limit of 256 KiB.
pub const EVENT_ANSWERS_MAX_BYTES: usize = 64 * 1024;
/// How much of a text the event of a larger answer carries, in characters.
pub const EVENT_FIELD_MAX_CHARS: usize = 1_000;
