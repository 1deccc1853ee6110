//! The C ABI of `tidemark_redb.h`. The header states the rules; each function here only unpacks its
//! arguments, checks the fork epoch before anything else, and calls the safe modules.

mod backend;
mod failure;
mod fork;
mod handles;
mod pages;
mod read;
mod tables;
mod write;
