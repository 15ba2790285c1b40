//! The server as a whole: real rooms in a folder that vanishes, real sockets on port 0.

mod authorization;
mod path;
mod renewal;
mod requests;
mod testbench;
