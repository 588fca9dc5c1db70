//! Ways out of the process.

mod mail;

pub use mail::{MailError, MailSettings, Mailer, Outbound, SmtpSettings, SmtpTls};
