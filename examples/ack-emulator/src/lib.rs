//! Stand-in for ACK.
