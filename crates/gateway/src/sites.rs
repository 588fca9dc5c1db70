//! Which tenant a host belongs to.

use arc_swap::ArcSwap;
use plinth_identity::RateCells;
use plinth_kernel::{Mode, TenantId};
use std::{collections::HashMap, sync::Arc};

/// A tenant with a site.
#[derive(Debug)]
pub struct SiteTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// What all visitors of the site together are limited by: a flood of them costs the tenant's own keys nothing.
    pub cells: RateCells,
}

/// Hosts and their tenants. Cheap to clone; changes show at once.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    table: Arc<ArcSwap<Table>>,
}

#[derive(Debug, Default, Clone)]
struct Table {
    default: Option<Arc<SiteTenant>>,
    hosts: HashMap<String, Arc<SiteTenant>>,
}

impl Sites {
    /// The tenant of every host that is not listed. Set once the installation has one.
    pub fn set_default(&self, tenant: TenantId, mode: Mode) {
        let site = Arc::new(SiteTenant { tenant, mode, cells: RateCells::default() });
        self.table.rcu(|table| Table { default: Some(site.clone()), ..Table::clone(table) });
    }

    /// The tenant of one host name, without port.
    pub fn set_host(&self, host: &str, tenant: TenantId, mode: Mode) {
        let site = Arc::new(SiteTenant { tenant, mode, cells: RateCells::default() });
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            table.hosts.insert(host.to_ascii_lowercase(), site.clone());
            table
        });
    }

    /// The tenant of a `Host` header.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<Arc<SiteTenant>> {
        let table = self.table.load();
        if table.hosts.is_empty() {
            return table.default.clone();
        }
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        table.hosts.get(&name).or(table.default.as_ref()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::World;

    #[test]
    fn a_host_leads_to_its_tenant_and_others_to_the_default() {
        let (world, _) = World::manual(1);
        let (sites, a, b): (_, TenantId, TenantId) = (Sites::default(), world.id(), world.id());
        assert!(sites.find("a.test").is_none());
        sites.set_default(a.clone(), Mode::Live);
        sites.set_host("B.test", b.clone(), Mode::Test);
        assert_eq!(sites.find("b.test:8080").unwrap().tenant, b);
        assert_eq!(sites.find("unknown.test").unwrap().tenant, a);
    }
}
