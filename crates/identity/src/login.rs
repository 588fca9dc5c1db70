//! Console login, and passwords.

use std::net::IpAddr;

use plinth_kernel::{Code, FieldError, Id, MemberId, Problem, SessionId, TenantId, TraceContext};
use plinth_store::{Tx, args};

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::check::{Faults, sentence};
use crate::invites::acting_as;
use crate::model::email::Email;
use crate::model::password::Password;
use crate::passwords::HashedPassword;
use crate::secret::Secret;
use crate::sessions::{choices, open_session, session_over};

/// Where a login comes from.
#[derive(Debug, Clone)]
pub struct Device {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// The trace.
    pub trace: TraceContext,
}

/// A session that was just opened, with the token for its cookie.
#[derive(Debug)]
pub struct OpenedSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub member: MemberId,
    /// The tenant it begins in.
    pub tenant: TenantId,
    /// The cookie's value.
    pub token: Secret<String>,
}

/// An account that is about to be made, checked and with its password hashed.
pub(crate) struct NewAccount {
    pub email: Email,
    pub name: String,
    pub password: HashedPassword,
}

struct Account {
    id: MemberId,
    password_hash: String,
}
plinth_store::row!(Account { id, password_hash });

impl Identity {
    /// Checks address and password and opens a session. An unknown address, a malformed one and a wrong password take
    /// the same path: one read, one hash, one answer.
    pub async fn login(
        &self,
        email: &str,
        password: &Secret<String>,
        device: Device,
    ) -> Result<OpenedSession, Problem> {
        let parsed = Email::parse(email).ok();
        let key = parsed.as_ref().map_or_else(|| email.trim().to_lowercase(), |email| email.key().to_owned());
        let account = self.account(key.clone()).await?;
        let stored =
            account.as_ref().map(|account| HashedPassword(Secret::new(account.password_hash.clone())));
        self.check_presented(&key, password, stored, &device).await?;
        let member = account.ok_or_else(wrong_credentials)?.id;
        let identity = self.clone();
        self.store()
            .write(move |tx| {
                let tenant = choices(tx, &member)?.into_iter().next().ok_or_else(|| {
                    Problem::new(
                        Code::Forbidden,
                        "This account belongs to no organisation any more. Ask to be invited.",
                    )
                })?;
                let opened = open_session(&identity, tx, &member, &tenant.id, &device)?;
                let by = acting_as(tenant.id, &member, &device);
                audit::record(tx, &by, "identity.session.opened", opened.id.as_str(), None, None)?;
                Ok(opened)
            })
            .await
    }

    async fn account(&self, email_key: String) -> Result<Option<Account>, Problem> {
        self.store()
            .read(move |tx| {
                tx.opt("SELECT id, password_hash FROM members WHERE email_key = $1", args![&email_key])
                    .map_err(Problem::from)
            })
            .await
    }

    pub(crate) async fn check_password(
        &self,
        email: &Email,
        password: &Secret<String>,
        stored: Option<HashedPassword>,
        device: &Device,
    ) -> Result<(), Problem> {
        self.check_presented(email.key(), password, stored, device).await
    }

    async fn check_presented(
        &self,
        account: &str,
        password: &Secret<String>,
        stored: Option<HashedPassword>,
        device: &Device,
    ) -> Result<(), Problem> {
        let attempt = self.throttle().begin(account, device.ip, self.world().now())?;
        // Too long to be anybody's: it still costs its caller an attempt, and us one hash.
        let (password, stored) = match Password::presented(password.reveal()) {
            Ok(password) => (password, stored),
            Err(_) => (Password::presented("").map_err(Problem::internal)?, None),
        };
        match self.passwords().verify(password, stored).await {
            Ok(true) => {
                attempt.succeeded();
                Ok(())
            }
            Ok(false) => Err(wrong_credentials()),
            Err(problem) => {
                attempt.undecided();
                Err(problem)
            }
        }
    }

    /// Checks name and password of a new account and hashes the password.
    pub(crate) async fn new_account(
        &self,
        email: &Email,
        name: &str,
        password: &Secret<String>,
    ) -> Result<NewAccount, Problem> {
        let mut faults = Faults::default();
        let name = faults.name("/name", name);
        let chosen = Password::choose(password.reveal(), email);
        if let Err(error) = &chosen {
            faults.add("/password", error.code(), sentence(&error.to_string()));
        }
        faults.finish()?;
        let hash = self.passwords().hash(chosen.map_err(Problem::internal)?).await?;
        Ok(NewAccount { email: email.clone(), name, password: hash })
    }

    /// Changes a member's password. Every other session of theirs ends.
    pub async fn change_password(
        &self,
        by: By,
        member: MemberId,
        session: Option<SessionId>,
        current: &Secret<String>,
        new: &Secret<String>,
        device: Device,
    ) -> Result<(), Problem> {
        let id = member.clone();
        let (email, stored): (String, String) = self
            .store()
            .read(move |tx| {
                tx.opt("SELECT email, password_hash FROM members WHERE id = $1", args![&id])?
                    .ok_or_else(session_over)
            })
            .await?;
        let email = Email::parse(&email).map_err(Problem::internal)?;
        self.check_password(&email, current, Some(HashedPassword(Secret::new(stored))), &device).await?;
        let chosen = Password::choose(new.reveal(), &email).map_err(|error| {
            Problem::validation(vec![FieldError::pointer(
                "/new_password",
                error.code(),
                sentence(&error.to_string()),
            )])
        })?;
        let hash = self.passwords().hash(chosen).await?;
        let identity = self.clone();
        self.store()
            .write(move |tx| {
                set_password(tx, &member, &hash)?;
                identity.end_other_sessions(tx, &by, &member, session.as_ref())?;
                audit::record(tx, &by, "identity.member.password_changed", member.as_str(), None, None)?;
                Ok(())
            })
            .await
    }
}

fn set_password(tx: &mut Tx<'_>, member: &MemberId, hash: &HashedPassword) -> Result<(), Problem> {
    let now = tx.now();
    tx.exec(
        "UPDATE members SET password_hash = $2, updated_at = $3, rev = rev + 1 WHERE id = $1",
        args![member, hash.0.reveal(), now],
    )?;
    Ok(())
}

fn wrong_credentials() -> Problem {
    Problem::new(Code::InvalidCredentials, "E-mail address and password do not match an account.")
}
