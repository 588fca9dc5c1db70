//! Organisations and their tenants, which come in pairs: one for real, one for trying things out.

use plinth_kernel::{Code, Id, Micros, Mode, OrganisationId, Problem, TenantId, TraceContext};
use plinth_store::{Arg, Tx, args};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::caches::{Change, announce};
use crate::check::{Faults, from_json, from_text, to_json};
use crate::credential::TenantFacts;
use crate::limits::{TENANT_ORIGINS_MAX, TENANT_SETTINGS_BYTES_MAX, TENANTS_MAX};
use crate::page::{Keyset, Listed, PageRequest, keyset, list};

/// A tenant: one project in live or in test mode.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Tenant {
    /// Always `tenant`.
    pub object: &'static str,
    /// Its id.
    pub id: TenantId,
    /// Its name, the same for the pair.
    pub name: String,
    /// Live or test.
    pub mode: Mode,
    /// The organisation that owns it.
    pub organisation_id: OrganisationId,
    /// The other half of the pair.
    pub twin_id: TenantId,
    /// Settings, as systems define them.
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Origins whose pages may call the API.
    pub allowed_origins: Vec<String>,
    /// Its revision.
    pub rev: i64,
    /// When it was made.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
}

/// A change of a tenant: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantPatch {
    /// A new name.
    pub name: Option<String>,
    /// Settings to set; `null` removes one (JSON Merge Patch, RFC 7396, one level deep).
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Map<String, Value>>,
    /// The whole list of origins.
    pub allowed_origins: Option<Vec<String>>,
}

/// A new organisation.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrganisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its live tenant.
    pub live: Tenant,
    /// The live tenant's twin.
    pub test: Tenant,
}

/// Where a tenant belongs.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub organisation: OrganisationId,
    pub mode: Mode,
}

struct TenantRow {
    id: TenantId,
    organisation_id: OrganisationId,
    mode: String,
    twin_id: TenantId,
    name: String,
    settings: String,
    allowed_origins: String,
    rev: i64,
    created_at: Micros,
    updated_at: Micros,
}
plinth_store::row!(TenantRow {
    id,
    organisation_id,
    mode,
    twin_id,
    name,
    settings,
    allowed_origins,
    rev,
    created_at,
    updated_at
});

macro_rules! select_tenants {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation_id, mode, twin_id, name, settings, allowed_origins, rev, created_at, updated_at
             FROM tenants ",
            $rest
        )
    };
}

const LIST: Keyset = keyset!(select_tenants!("WHERE organisation_id = $1"), "id");
const GET: &str = select_tenants!("WHERE id = $1");
const FIRST: &str = select_tenants!("WHERE mode = 'live' ORDER BY id LIMIT 1");

impl TenantRow {
    fn shown(self) -> Result<Tenant, Problem> {
        Ok(Tenant {
            object: "tenant",
            mode: from_text(&self.mode)?,
            settings: from_json(&self.settings)?,
            allowed_origins: from_json(&self.allowed_origins)?,
            id: self.id,
            name: self.name,
            organisation_id: self.organisation_id,
            twin_id: self.twin_id,
            rev: self.rev,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Identity {
    /// Makes an organisation with its first pair of tenants, for the operator at the terminal.
    pub fn create_organisation(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        trace: TraceContext,
    ) -> Result<NewOrganisation, Problem> {
        let organisation = self.insert_organisation(tx, name)?;
        let by = By::system(organisation.live.id.clone(), "operator", trace);
        record_tenant(tx, &by, "identity.tenant.created", None, &organisation.live)?;
        Ok(organisation)
    }

    pub(crate) fn insert_organisation(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<NewOrganisation, Problem> {
        let mut faults = Faults::default();
        let name = faults.name("/organisation", name);
        faults.finish()?;
        let (id, now): (OrganisationId, Micros) = (tx.id(), tx.now());
        tx.exec(
            "INSERT INTO organisations (id, name, rev, created_at, updated_at) VALUES ($1, $2, 1, $3, $3)",
            args![&id, &name, now],
        )?;
        let (live, test) = self.insert_pair(tx, &id, &name)?;
        Ok(NewOrganisation { id, live, test })
    }

    /// Gives the organisation of `live` and its tenants another name; answers the live tenant.
    pub(crate) fn rename_organisation(
        &self,
        tx: &mut Tx<'_>,
        live: &Tenant,
        name: &str,
    ) -> Result<Tenant, Problem> {
        let mut faults = Faults::default();
        let name = faults.name("/organisation", name);
        faults.finish()?;
        let now = tx.now();
        tx.exec(
            "UPDATE organisations SET name = $2, updated_at = $3, rev = rev + 1 WHERE id = $1",
            args![&live.organisation_id, &name, now],
        )?;
        for id in [&live.id, &live.twin_id] {
            tx.exec(
                "UPDATE tenants SET name = $2, updated_at = $3, rev = rev + 1 WHERE id = $1",
                args![id, &name, now],
            )?;
            let renamed = self.get_tenant(tx, id)?;
            self.announce_tenant(tx, &renamed)?;
        }
        self.get_tenant(tx, &live.id)
    }

    /// Makes a further pair of tenants in the caller's organisation; answers the live one.
    pub fn create_tenant(&self, tx: &mut Tx<'_>, by: &By, name: &str) -> Result<Tenant, Problem> {
        let mut faults = Faults::default();
        let name = faults.name("/name", name);
        faults.finish()?;
        let home = home(tx, &by.tenant)?;
        let count: i64 =
            tx.one("SELECT count(*) FROM tenants WHERE organisation_id = $1", args![&home.organisation])?;
        if count + 2 > TENANTS_MAX {
            return Err(Problem::new(
                Code::QuotaExceeded,
                format!("An organisation may have at most {TENANTS_MAX} tenants, live and test together."),
            ));
        }
        let (live, _) = self.insert_pair(tx, &home.organisation, &name)?;
        record_tenant(tx, by, "identity.tenant.created", None, &live)?;
        Ok(live)
    }

    fn insert_pair(
        &self,
        tx: &mut Tx<'_>,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<(Tenant, Tenant), Problem> {
        let (live, test): (TenantId, TenantId) = (tx.id(), tx.id());
        for (id, twin, mode) in [(&live, &test, Mode::Live), (&test, &live, Mode::Test)] {
            let now = tx.now();
            tx.exec(
                "INSERT INTO tenants (id, organisation_id, mode, twin_id, name, settings, allowed_origins, rev,
                     created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, '{}', '[]', 1, $6, $6)",
                args![id, organisation, &mode.to_string(), twin, name, now],
            )?;
            self.insert_signing_key(tx, id)?;
        }
        Ok((self.get_tenant(tx, &live)?, self.get_tenant(tx, &test)?))
    }

    /// A tenant. Callers ask for their own, or for one that [`Identity::list_tenants`] showed them.
    pub fn get_tenant(&self, tx: &mut Tx<'_>, id: &TenantId) -> Result<Tenant, Problem> {
        tenant_row(tx, id)?.shown()
    }

    /// A page of the tenants in the organisation of `tenant`.
    pub fn list_tenants(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Listed<Tenant>, Problem> {
        let home = home(tx, tenant)?;
        let after = page.after.as_deref().map(Arg::from);
        list::<TenantRow>(tx, &LIST, home.organisation.as_ref(), page, after)?.try_map(TenantRow::shown)
    }

    /// The oldest live tenant: the one whose site an installation serves unless told otherwise.
    pub fn first_tenant(&self, tx: &mut Tx<'_>) -> Result<Option<Tenant>, Problem> {
        tx.opt::<TenantRow>(FIRST, args![])?.map(TenantRow::shown).transpose()
    }

    /// Changes the caller's tenant. With `if_rev`, only if it has not changed since.
    pub fn update_tenant(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        patch: &TenantPatch,
        if_rev: Option<i64>,
    ) -> Result<Tenant, Problem> {
        let before = self.get_tenant(tx, &by.tenant)?;
        if if_rev.is_some_and(|rev| rev != before.rev) {
            return Err(plinth_store::Error::Stale.into());
        }
        let mut faults = Faults::default();
        let name =
            patch.name.as_deref().map_or_else(|| before.name.clone(), |name| faults.name("/name", name));
        let settings = merged(&before.settings, patch.settings.as_ref());
        let origins = match &patch.allowed_origins {
            None => before.allowed_origins.clone(),
            Some(origins) => faults
                .origins("/allowed_origins", origins, TENANT_ORIGINS_MAX)
                .into_iter()
                .map(String::from)
                .collect(),
        };
        let settings_text = to_json(&settings)?;
        if settings_text.len() > TENANT_SETTINGS_BYTES_MAX {
            let detail = format!("Settings may have at most {TENANT_SETTINGS_BYTES_MAX} bytes.");
            faults.add("/settings", "too_large", detail);
        }
        faults.finish()?;
        let now = tx.now();
        let changed = tx.exec(
            "UPDATE tenants SET name = $2, settings = $3, allowed_origins = $4, updated_at = $5, rev = rev + 1
             WHERE id = $1 AND rev = $6",
            args![&by.tenant, &name, &settings_text, &to_json(&origins)?, now, before.rev],
        )?;
        if changed != 1 {
            return Err(plinth_store::Error::Stale.into());
        }
        let after = self.get_tenant(tx, &by.tenant)?;
        self.announce_tenant(tx, &after)?;
        record_tenant(tx, by, "identity.tenant.updated", Some(&before), &after)?;
        Ok(after)
    }

    fn announce_tenant(&self, tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(), Problem> {
        announce(tx, self.caches(), Change::Tenant(tenant.id.clone()))?;
        let facts = TenantFacts {
            name: tenant.name.clone(),
            settings: tenant.settings.clone(),
            allowed_origins: from_json(&to_json(&tenant.allowed_origins)?)?,
            rev: tenant.rev,
        };
        let (caches, id) = (self.caches().clone(), tenant.id.clone());
        tx.after_commit(move || caches.tenant_changed(&id, facts));
        Ok(())
    }
}

fn merged(before: &Map<String, Value>, patch: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut settings = before.clone();
    for (key, value) in patch.into_iter().flatten() {
        if value.is_null() {
            settings.remove(key);
        } else {
            settings.insert(key.clone(), value.clone());
        }
    }
    settings
}

pub(crate) fn record_tenant(
    tx: &mut Tx<'_>,
    by: &By,
    action: &'static str,
    before: Option<&Tenant>,
    after: &Tenant,
) -> Result<(), Problem> {
    let before = before.map(serde_json::to_value).transpose().map_err(Problem::internal)?;
    let after_json = serde_json::to_value(after).map_err(Problem::internal)?;
    audit::record(tx, by, action, after.id.as_str(), before.as_ref(), Some(&after_json))?;
    let data = json!({"tenant_id": after.id, "name": after.name, "mode": after.mode, "rev": after.rev});
    by.emit(tx, action, after.id.as_str(), data);
    Ok(())
}

fn tenant_row(tx: &mut Tx<'_>, id: &TenantId) -> Result<TenantRow, Problem> {
    tx.opt(GET, args![id])?.ok_or_else(|| Problem::not_found("tenant"))
}

pub(crate) fn home(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Home, Problem> {
    let (organisation, mode): (OrganisationId, String) = tx
        .opt("SELECT organisation_id, mode FROM tenants WHERE id = $1", args![tenant])?
        .ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(Home { organisation, mode: from_text(&mode)? })
}

/// What a poll reads to bring a tenant's record up to date.
pub(crate) fn facts(tx: &mut Tx<'_>, id: &TenantId) -> Result<Option<TenantFacts>, Problem> {
    let Some(row) = tx.opt::<TenantRow>(GET, args![id])? else { return Ok(None) };
    Ok(Some(TenantFacts {
        settings: from_json(&row.settings)?,
        allowed_origins: from_json(&row.allowed_origins)?,
        name: row.name,
        rev: row.rev,
    }))
}
