//! Every limit of the site, in one place.

use std::time::Duration;

/// Largest content file.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Most files in a content tree.
pub const FILES_MAX: usize = 2_000;
/// Folders below the content folder are read this deep.
pub const DEPTH_MAX: usize = 4;
/// Most points in one list of a content file.
pub const POINTS_MAX: usize = 24;
/// Longest single value in front matter, in characters.
pub const VALUE_CHARS_MAX: usize = 2_000;
/// Most nodes in a diagram; more do not fit on a page.
pub const DIAGRAM_NODES_MAX: usize = 16;
/// Columns of a diagram.
pub const DIAGRAM_COLUMNS_MAX: u32 = 5;
/// Rows of a diagram.
pub const DIAGRAM_ROWS_MAX: u32 = 5;
/// Longest label inside a diagram node, in characters: what fits into the box.
pub const DIAGRAM_LABEL_CHARS_MAX: usize = 24;
/// Longest question on `/ask`, in characters.
pub const QUESTION_CHARS_MAX: usize = 1_000;
/// Largest body of a form sent without JavaScript.
pub const FORM_BODY_BYTES_MAX: usize = 128 * 1024;
/// Longest host name that may become part of a canonical address.
pub const HOST_CHARS_MAX: usize = 253;
/// Rendered pages kept for one state of the content. Host names and form versions multiply pages, so the
/// cache starts afresh when it is full rather than growing with whatever `Host` headers arrive.
pub const PAGES_CACHED_MAX: usize = 1_024;
/// How long a published form is taken as current before its system is asked again.
pub const FORM_FRESH_FOR: Duration = Duration::from_secs(2);
/// Published forms kept, one for each tenant.
pub const FORMS_CACHED_MAX: usize = 1_024;
/// After a change on disk, wait this long for the editor to finish its other writes.
pub const RELOAD_QUIET_FOR: Duration = Duration::from_millis(25);
/// Brotli quality: pages are compressed once for each state of the content, on the first request.
pub const BROTLI_QUALITY: u32 = 6;
/// Brotli quality for assets, which are compressed once for each start.
pub const BROTLI_QUALITY_ASSETS: u32 = 9;
