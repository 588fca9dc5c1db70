//! The messages of the client protocol, version 2, as types. How they look on the wire is the codec's business.
//!
//! Payloads are JSON texts that pass through unread. Zero values are left out of replies, as the clients' schema
//! says, except in the few places where clients rely on them: the fields below without `skip_serializing_if`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codes::{Disconnect, ErrorCode};

/// A payload: one JSON value on one line.
pub(crate) type Raw = Box<RawValue>;

/// The payload of a value.
pub(crate) fn raw(value: &serde_json::Value) -> Raw {
    // A `Value` has only string keys and finite numbers, so this cannot fail; `null` keeps the frame well formed.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Takes the line breaks out of a client's payload: a newline separates messages in a frame.
pub(crate) fn on_one_line(payload: Raw) -> Raw {
    if !payload.get().contains(['\n', '\r']) {
        return payload;
    }
    match serde_json::from_str::<serde_json::Value>(payload.get()) {
        Ok(value) => raw(&value),
        Err(_) => RawValue::NULL.to_owned(),
    }
}

/// One command as it arrives; the first request present counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Command {
    pub id: u32,
    pub connect: Option<ConnectRequest>,
    pub subscribe: Option<SubscribeRequest>,
    pub unsubscribe: Option<ChannelRequest>,
    pub publish: Option<PublishRequest>,
    pub presence: Option<ChannelRequest>,
    pub presence_stats: Option<ChannelRequest>,
    pub history: Option<HistoryRequest>,
    pub ping: Option<Empty>,
    pub send: Option<Empty>,
    pub rpc: Option<Empty>,
    pub refresh: Option<RefreshRequest>,
    pub sub_refresh: Option<SubRefreshRequest>,
}

/// What a command asks for.
#[derive(Debug)]
pub(crate) enum Request {
    Connect(ConnectRequest),
    Subscribe(SubscribeRequest),
    Unsubscribe(ChannelRequest),
    Publish(PublishRequest),
    Presence(ChannelRequest),
    PresenceStats(ChannelRequest),
    History(HistoryRequest),
    Ping,
    Rpc,
    Refresh(RefreshRequest),
    SubRefresh(SubRefreshRequest),
}

/// A command after its shape was checked.
#[derive(Debug)]
pub(crate) enum Checked {
    /// `{}`: the answer to a ping.
    Pong,
    /// A one-way message.
    Send,
    /// A request to be answered under this id.
    Request(u32, Request),
}

impl Command {
    /// Tells the three kinds of command apart; a command that is none of them breaks the protocol.
    pub(crate) fn check(self) -> Result<Checked, Disconnect> {
        let request = if let Some(request) = self.connect {
            Request::Connect(request)
        } else if let Some(request) = self.subscribe {
            Request::Subscribe(request)
        } else if let Some(request) = self.unsubscribe {
            Request::Unsubscribe(request)
        } else if let Some(request) = self.publish {
            Request::Publish(request)
        } else if let Some(request) = self.presence {
            Request::Presence(request)
        } else if let Some(request) = self.presence_stats {
            Request::PresenceStats(request)
        } else if let Some(request) = self.history {
            Request::History(request)
        } else if self.ping.is_some() {
            Request::Ping
        } else if self.send.is_some() {
            return Ok(Checked::Send);
        } else if self.rpc.is_some() {
            Request::Rpc
        } else if let Some(request) = self.refresh {
            Request::Refresh(request)
        } else if let Some(request) = self.sub_refresh {
            Request::SubRefresh(request)
        } else if self.id == 0 {
            return Ok(Checked::Pong);
        } else {
            return Err(Disconnect::BAD_REQUEST);
        };
        if self.id == 0 {
            return Err(Disconnect::BAD_REQUEST);
        }
        Ok(Checked::Request(self.id, request))
    }
}

/// An object without fields, or one whose fields do not matter here.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Empty {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConnectRequest {
    pub token: String,
    pub subs: BTreeMap<String, Position>,
    pub name: String,
    pub version: String,
}

/// Where a client stopped reading a channel.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Position {
    pub recover: bool,
    pub epoch: String,
    pub offset: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SubscribeRequest {
    pub channel: String,
    pub token: String,
    pub recover: bool,
    pub epoch: String,
    pub offset: u64,
    pub join_leave: bool,
    pub flag: i64,
    #[serde(rename = "type")]
    pub kind: i32,
}

/// Bit of [`SubscribeRequest::flag`]: answer "unrecoverable position" rather than subscribe without recovery.
pub(crate) const FLAG_REJECT_UNRECOVERED: i64 = 1 << 1;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChannelRequest {
    pub channel: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PublishRequest {
    pub channel: String,
    pub data: Option<Raw>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HistoryRequest {
    pub channel: String,
    pub limit: i32,
    pub since: Option<StreamPosition>,
    pub reverse: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StreamPosition {
    pub offset: u64,
    pub epoch: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RefreshRequest {
    pub token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SubRefreshRequest {
    pub channel: String,
    pub token: String,
}

/// The answer to one command.
#[derive(Serialize)]
pub(crate) struct Reply {
    pub id: u32,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What a command came to; the variant's name is the key on the wire.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Error(ErrorBody),
    Connect(ConnectResult),
    Subscribe(SubscribeResult),
    Unsubscribe(Empty),
    Publish(Empty),
    Presence(PresenceResult),
    PresenceStats(PresenceStatsResult),
    History(HistoryResult),
    Ping(Empty),
    Refresh(RefreshResult),
    SubRefresh(Empty),
}

#[derive(Serialize)]
pub(crate) struct ErrorBody {
    code: u32,
    message: &'static str,
    #[serde(skip_serializing_if = "is_default")]
    temporary: bool,
}

impl From<ErrorCode> for ErrorBody {
    fn from(code: ErrorCode) -> Self {
        Self { code: code.number(), message: code.message(), temporary: code.temporary() }
    }
}

#[derive(Default, Serialize)]
pub(crate) struct ConnectResult {
    pub client: String,
    pub version: &'static str,
    #[serde(skip_serializing_if = "is_default")]
    pub expires: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub ttl: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub subs: BTreeMap<String, SubscribeResult>,
    #[serde(skip_serializing_if = "is_default")]
    pub ping: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub pong: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
}

#[derive(Default, Serialize)]
pub(crate) struct SubscribeResult {
    #[serde(skip_serializing_if = "is_default")]
    pub recoverable: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub positioned: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub epoch: String,
    #[serde(skip_serializing_if = "is_default")]
    pub offset: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publications: Vec<Arc<Publication>>,
    #[serde(skip_serializing_if = "is_default")]
    pub recovered: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub was_recovering: bool,
}

#[derive(Serialize)]
pub(crate) struct PresenceResult {
    pub presence: BTreeMap<String, Arc<ClientInfo>>,
}

#[derive(Serialize)]
pub(crate) struct PresenceStatsResult {
    pub num_clients: u32,
    pub num_users: u32,
}

#[derive(Serialize)]
pub(crate) struct HistoryResult {
    pub publications: Vec<Arc<Publication>>,
    pub epoch: String,
    pub offset: u64,
}

#[derive(Serialize)]
pub(crate) struct RefreshResult {
    pub client: String,
    pub version: &'static str,
    #[serde(skip_serializing_if = "is_default")]
    pub expires: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub ttl: u32,
}

/// Who is behind a connection, as other clients may see it.
#[derive(Debug, Serialize)]
pub(crate) struct ClientInfo {
    pub user: String,
    pub client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conn_info: Option<Raw>,
}

/// One message in a channel. Offset 0 means that the channel keeps no history: clients do not move their position.
#[derive(Debug, Serialize)]
pub(crate) struct Publication {
    pub data: Raw,
    #[serde(skip_serializing_if = "is_default")]
    pub offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Arc<ClientInfo>>,
}

impl Publication {
    /// What keeping it costs, in bytes, nearly: the payload and the bookkeeping around it.
    pub(crate) fn size(&self) -> usize {
        self.data.get().len() + 64
    }
}

/// A message nobody asked for.
#[derive(Serialize)]
pub(crate) struct Pushed<'a> {
    pub push: Push<'a>,
}

#[derive(Serialize)]
pub(crate) struct Push<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub channel: &'a str,
    #[serde(flatten)]
    pub body: PushBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PushBody<'a> {
    Pub(&'a Publication),
    Join(Presence<'a>),
    Leave(Presence<'a>),
    Unsubscribe(Reason),
    Disconnect(Reason),
}

#[derive(Serialize)]
pub(crate) struct Presence<'a> {
    pub info: &'a ClientInfo,
}

#[derive(Serialize)]
pub(crate) struct Reason {
    pub code: u32,
    pub reason: &'static str,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn zero_values_are_left_out_except_where_clients_need_them() {
        let reply = |outcome| serde_json::to_value(Reply { id: 7, outcome }).unwrap();
        assert_eq!(reply(Outcome::Subscribe(SubscribeResult::default())), json!({"id": 7, "subscribe": {}}));
        assert_eq!(
            reply(Outcome::History(HistoryResult { publications: vec![], epoch: String::new(), offset: 0 })),
            json!({"id": 7, "history": {"publications": [], "epoch": "", "offset": 0}})
        );
        assert_eq!(
            reply(Outcome::PresenceStats(PresenceStatsResult { num_clients: 0, num_users: 0 })),
            json!({"id": 7, "presence_stats": {"num_clients": 0, "num_users": 0}})
        );
        let info = ClientInfo { user: String::new(), client: "c".into(), conn_info: None };
        assert_eq!(serde_json::to_value(info).unwrap(), json!({"user": "", "client": "c"}));
    }

    #[test]
    fn a_payload_with_line_breaks_is_put_on_one_line() {
        let payload: Raw = serde_json::from_str("{\"a\":\r\n \"b\\n\"}").unwrap();
        assert_eq!(on_one_line(payload).get(), r#"{"a":"b\n"}"#);
    }

    #[test]
    fn the_first_request_present_counts() {
        let command: Command = serde_json::from_str(r#"{"id":1,"connect":null,"ping":{},"rpc":{}}"#).unwrap();
        assert!(matches!(command.check(), Ok(Checked::Request(1, Request::Ping))));
    }
}
