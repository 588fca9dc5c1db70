//! The commands, one file each.

pub mod doctor;
pub mod key;
pub mod serve;
pub mod tenant;
pub mod tools;
