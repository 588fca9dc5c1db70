//! The first run: whoever can read the terminal becomes the first owner, once.

use plinth_kernel::{Code, Problem, Role};
use plinth_store::{Tx, args};

use crate::Identity;
use crate::authenticator::token_hash;
use crate::check::Faults;
use crate::invites::{acting_as, insert_member};
use crate::limits::SETUP_TTL_MS;
use crate::login::{Device, NewAccount, OpenedSession};
use crate::members::join;
use crate::secret::Secret;
use crate::sessions::open_session;
use crate::tenants::record_tenant;

/// What the first person gives.
#[derive(Debug)]
pub struct SetupRequest {
    /// The token from the terminal.
    pub token: String,
    /// Their address.
    pub email: String,
    /// The password they chose.
    pub password: Secret<String>,
    /// Their name.
    pub name: String,
    /// The organisation's name.
    pub organisation: String,
}

impl Identity {
    /// Whether nobody has set the installation up yet.
    pub async fn setup_needed(&self) -> Result<bool, Problem> {
        self.store()
            .read(|tx| {
                let done: Option<i64> =
                    tx.opt("SELECT id FROM installation WHERE id = 1 AND set_up_at IS NOT NULL", args![])?;
                Ok(done.is_none())
            })
            .await
    }

    /// A token for the first run, to be printed once; `None` when the installation is set up. Only its hash is kept.
    /// Each start makes its own, so every node's terminal works; the first use ends all of them.
    pub async fn issue_setup_token(&self) -> Result<Option<Secret<String>>, Problem> {
        if !self.setup_needed().await? {
            return Ok(None);
        }
        let token = Secret::new(self.world().token());
        let hash = token_hash(token.reveal());
        self.store()
            .write(move |tx| {
                let now = tx.now();
                tx.exec("DELETE FROM setup_tokens WHERE expires_at <= $1", args![now])?;
                tx.exec(
                    "INSERT INTO setup_tokens (token_hash, expires_at) VALUES ($1, $2)",
                    args![&hash, now.plus_ms(SETUP_TTL_MS as i64)],
                )?;
                Ok::<_, Problem>(())
            })
            .await?;
        Ok(Some(token))
    }

    /// Makes the first owner and logs them in. The organisation that a start has made already, so that the site could be
    /// served, becomes theirs; without one, it is made.
    pub async fn complete_setup(
        &self,
        request: SetupRequest,
        device: Device,
    ) -> Result<OpenedSession, Problem> {
        let hash = token_hash(&request.token);
        // A wrong token must not buy a password hash; whether it is right is decided again in the transaction.
        let token_works: bool = self
            .store()
            .read(move |tx| {
                let now = tx.now();
                let found: Option<i64> = tx.opt(TOKEN_IS_GOOD, args![&hash, now])?;
                Ok::<_, Problem>(found.is_some())
            })
            .await?;
        if !token_works {
            return Err(token_refused());
        }
        let mut faults = Faults::default();
        let email = faults.email("/email", &request.email);
        faults.name("/organisation", &request.organisation);
        faults.finish()?;
        let email = email.ok_or_else(|| Problem::internal("a checked address is missing"))?;
        let account = self.new_account(&email, &request.name, &request.password).await?;
        let identity = self.clone();
        self.store()
            .write(move |tx| identity.set_up(tx, hash, &account, &request.organisation, &device))
            .await
    }

    fn set_up(
        &self,
        tx: &mut Tx<'_>,
        token_hash: [u8; 32],
        account: &NewAccount,
        organisation: &str,
        device: &Device,
    ) -> Result<OpenedSession, Problem> {
        let now = tx.now();
        let taken = tx.exec(
            "UPDATE setup_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
            args![&token_hash, now],
        )?;
        // Two tokens, from two nodes' terminals, must not make two first owners.
        let first =
            tx.exec("UPDATE installation SET set_up_at = $1 WHERE id = 1 AND set_up_at IS NULL", args![now])?;
        if taken != 1 || first != 1 {
            return Err(token_refused());
        }
        let (live, adopted) = match self.first_tenant(tx)? {
            Some(before) => (self.rename_organisation(tx, &before, organisation)?, Some(before)),
            None => (self.insert_organisation(tx, organisation)?.live, None),
        };
        let member = insert_member(tx, account)?;
        let by = acting_as(live.id.clone(), &member, device);
        join(tx, &by, &live.organisation_id, &member, Role::Owner)?;
        let action = if adopted.is_some() { "identity.tenant.updated" } else { "identity.tenant.created" };
        record_tenant(tx, &by, action, adopted.as_ref(), &live)?;
        open_session(self, tx, &member, &live.id, device)
    }
}

const TOKEN_IS_GOOD: &str = "SELECT i.id FROM setup_tokens t, installation i
    WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > $2 AND i.id = 1 AND i.set_up_at IS NULL";

fn token_refused() -> Problem {
    Problem::new(
        Code::TokenInvalid,
        "The setup link was used already, has expired, or was mistyped. Restart the server to get a new one.",
    )
}
