//! The vocabulary that every Plinth crate shares: ids, time, randomness, principals, problems, events and
//! the ports through which systems meet.
//!
//! **Invariant**: nothing here does IO, and nothing here imports another crate of ours. Time and randomness
//! are read through [`World`], which tests replace.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod event;
pub mod id;
pub mod ports;
pub mod principal;
pub mod problem;
pub mod rng;
pub mod time;
pub mod trace;
pub mod version;
pub mod world;

pub use event::{Event, NewEvent};
pub use id::{
    AttemptId, AuditId, ConversationId, EventId, FormId, FormVersionId, InboxItemId, InviteId, IssuerId,
    JobId, KeyId, MailId, MemberId, MessageId, NotificationId, OrganisationId, RequestId, RunId, ScheduleId,
    SessionId, SigningKeyId, SourceId, SubmissionId, TenantId, WorkflowId,
};
pub use id::{BadId, Id};
pub use principal::{Actor, Mode, Principal, PrincipalKind, Role, ScopeSet};
pub use problem::{Code, FieldError, Problem};
pub use rng::{Rng, SeededRng, SystemRng};
pub use time::{Clock, ManualClock, Micros, SystemClock};
pub use trace::{SpanId, TraceContext, TraceId};
pub use version::ApiVersion;
pub use world::World;
