//! Tests that stop, kill or freeze a server or the process under load; one at a time, on servers of their own.

mod frozen;
mod kill;
mod rebuilt;
mod servers;
mod stopped;
mod storm;
