//! E-mail: through an SMTP server, or into a folder of `.eml` files when none is configured.
//!
//! The bytes of a mail depend on nothing but the notification: a second attempt sends the same message with the same
//! `Message-ID` and `Date`, by which receivers recognise a copy.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{Mailbox, MultiPart, SinglePart, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use plinth_kernel::Micros;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How the connection to an SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all: for a server on the same machine.
    None,
    /// Begins in clear and must be upgraded with STARTTLS before anything is said.
    StartTls,
    /// Encrypted from the first byte (port 465).
    Implicit,
}

/// An SMTP server.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub tls: SmtpTls,
    /// User name and password.
    pub credentials: Option<(String, String)>,
    /// PEM of a certificate authority to trust besides the usual ones, for a server of one's own.
    pub extra_root_pem: Option<String>,
    /// How long one command may take.
    pub timeout: Duration,
}

/// Where mail goes.
#[derive(Clone)]
pub struct MailSettings {
    /// The sender, `Plinth <no-reply@example.org>`.
    pub from: String,
    /// The server; `None` writes files.
    pub smtp: Option<SmtpSettings>,
    /// The folder of the file outbox.
    pub outbox: PathBuf,
}

/// A mail about to leave.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// Left side of the `Message-ID`, and name of the file.
    pub id: String,
    /// Receiver's address.
    pub to: String,
    /// Receiver's name; may be empty.
    pub to_name: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML part.
    pub html: Option<String>,
    /// The `Date`.
    pub date: Micros,
}

/// Why a mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailError {
    /// The server said no for now, or could not be reached: nothing was delivered.
    Temporary(String),
    /// The server said no for good.
    Permanent(String),
    /// Everything was said and no answer came: it may have been delivered.
    Unknown(String),
    /// The message cannot be built: an address or header that no server would take.
    Invalid(String),
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    way: Arc<Way>,
}

enum Way {
    Smtp { transport: AsyncSmtpTransport<Tokio1Executor>, host: String },
    Files(PathBuf),
}

impl Mailer {
    /// A mailer with these settings. Opens no connection yet.
    pub fn new(settings: MailSettings) -> Result<Self, String> {
        let from = settings.from.parse().map_err(|_| {
            format!("mail.from is not an address such as `Name <name@example.org>`: {}", settings.from)
        })?;
        let way = match settings.smtp {
            Some(smtp) => Way::Smtp { host: smtp.host.clone(), transport: transport(smtp)? },
            None => Way::Files(settings.outbox),
        };
        Ok(Self { from, way: Arc::new(way) })
    }

    /// The name of the way out, for the record: the server's host, or `outbox`.
    #[must_use]
    pub fn provider(&self) -> &str {
        match &*self.way {
            Way::Smtp { host, .. } => host,
            Way::Files(_) => "outbox",
        }
    }

    /// Whether mail goes to files.
    #[must_use]
    pub fn is_outbox(&self) -> bool {
        matches!(&*self.way, Way::Files(_))
    }

    /// The sender.
    #[must_use]
    pub fn from(&self) -> String {
        self.from.to_string()
    }

    /// The folder of the file outbox, when that is the way out.
    #[must_use]
    pub fn outbox(&self) -> Option<&std::path::Path> {
        match &*self.way {
            Way::Files(folder) => Some(folder),
            Way::Smtp { .. } => None,
        }
    }

    /// Sends once.
    pub async fn send(&self, mail: &Outbound) -> Result<(), MailError> {
        let (envelope, bytes) = self.build(mail)?;
        match &*self.way {
            Way::Smtp { transport, .. } => match transport.send_raw(&envelope, &bytes).await {
                Ok(_) => Ok(()),
                Err(error) => Err(classify(&error)),
            },
            Way::Files(folder) => write_file(folder, &mail.id, &bytes).await,
        }
    }

    fn build(&self, mail: &Outbound) -> Result<(Envelope, Vec<u8>), MailError> {
        let invalid = |error: &dyn std::fmt::Display| MailError::Invalid(error.to_string());
        let to = Mailbox::new(
            (!mail.to_name.is_empty()).then(|| mail.to_name.clone()),
            mail.to.parse().map_err(|error: lettre::address::AddressError| invalid(&error))?,
        );
        let date = std::time::UNIX_EPOCH + Duration::from_micros(u64::try_from(mail.date.0).unwrap_or(0));
        let builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .date(date)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            // Automatic mail: out-of-office replies stay away (RFC 3834).
            .header(AutoSubmitted);
        let text = SinglePart::builder().header(header::ContentType::TEXT_PLAIN).body(mail.text.clone());
        let message = match &mail.html {
            None => builder.singlepart(text),
            Some(html) => {
                let html = SinglePart::builder().header(header::ContentType::TEXT_HTML).body(html.clone());
                // A boundary from the id: the same bytes every time.
                let parts = MultiPart::alternative()
                    .boundary(format!("=_{}", mail.id))
                    .singlepart(text)
                    .singlepart(html);
                builder.multipart(parts)
            }
        };
        let message = message.map_err(|error| invalid(&error))?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn transport(smtp: SmtpSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let parameters = || -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(smtp.host.clone());
        if let Some(pem) = &smtp.extra_root_pem {
            let certificate = lettre::transport::smtp::client::Certificate::from_pem(pem.as_bytes())
                .map_err(|error| format!("mail.smtp.extra_root is not a PEM certificate: {error}"))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|error| error.to_string())
    };
    let tls = match smtp.tls {
        SmtpTls::None => Tls::None,
        SmtpTls::StartTls => Tls::Required(parameters()?),
        SmtpTls::Implicit => Tls::Wrapper(parameters()?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(smtp.timeout));
    if let Some((user, password)) = smtp.credentials {
        builder = builder.credentials(Credentials::new(user, password));
    }
    Ok(builder.build())
}

/// A server's answer is definite. Silence after everything was sent is not; lettre tells a timeout apart, and a
/// connection that broke cannot be told from one that broke after the final dot.
fn classify(error: &lettre::transport::smtp::Error) -> MailError {
    let text = error.to_string();
    if error.is_permanent() {
        MailError::Permanent(text)
    } else if error.is_transient() || error.is_tls() || error.is_client() {
        MailError::Temporary(text)
    } else if error.is_timeout() {
        MailError::Unknown(text)
    } else if error.to_string().contains("onnect") {
        MailError::Temporary(text)
    } else {
        MailError::Unknown(text)
    }
}

/// Writes beside and renames, so that a half-written mail is never seen.
async fn write_file(folder: &std::path::Path, id: &str, bytes: &[u8]) -> Result<(), MailError> {
    let temporary =
        |error: std::io::Error| MailError::Temporary(format!("the outbox cannot be written: {error}"));
    tokio::fs::create_dir_all(folder).await.map_err(temporary)?;
    let (part, whole) = (folder.join(format!("{id}.part")), folder.join(format!("{id}.eml")));
    tokio::fs::write(&part, bytes).await.map_err(temporary)?;
    tokio::fs::File::open(&part).await.map_err(temporary)?.sync_all().await.map_err(temporary)?;
    tokio::fs::rename(&part, &whole).await.map_err(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound() -> Outbound {
        Outbound {
            id: "ntf_1".into(),
            to: "ada@example.org".into(),
            to_name: "Ada".into(),
            subject: "Grüße".into(),
            text: "Hello".into(),
            html: Some("<p>Hello</p>".into()),
            date: Micros(1_767_225_600_000_000),
        }
    }

    fn mailer(folder: &std::path::Path) -> Mailer {
        Mailer::new(MailSettings {
            from: "Plinth <no-reply@example.org>".into(),
            smtp: None,
            outbox: folder.into(),
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_second_attempt_sends_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let mailer = mailer(folder.path());
        mailer.send(&outbound()).await.unwrap();
        let first = std::fs::read(folder.path().join("ntf_1.eml")).unwrap();
        mailer.send(&outbound()).await.unwrap();
        assert_eq!(first, std::fs::read(folder.path().join("ntf_1.eml")).unwrap());
        let text = String::from_utf8(first).unwrap();
        assert!(text.contains("Message-ID: <ntf_1@example.org>"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left behind");
    }

    #[tokio::test]
    async fn an_address_that_no_server_takes_is_told_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let mail = Outbound { to: "a@b@c".into(), ..outbound() };
        assert!(matches!(mailer(folder.path()).send(&mail).await, Err(MailError::Invalid(_))));
    }

    #[test]
    fn a_sender_that_is_none_is_refused_with_its_setting() {
        let settings = MailSettings { from: "nobody".into(), smtp: None, outbox: "x".into() };
        assert!(Mailer::new(settings).err().unwrap().contains("mail.from"));
    }
}
