//! The org over real sockets, as its clients see it.

#[cfg(test)]
mod main_job;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod support;
