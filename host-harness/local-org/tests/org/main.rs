//! Tests of the org over real sockets, from a client's point of view.

#[cfg(test)]
mod access;
#[cfg(test)]
mod composites;
#[cfg(test)]
mod dates;
#[cfg(test)]
mod describe;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod duplicates;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod log;
#[cfg(test)]
mod main_job;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod org_files;
#[cfg(test)]
mod owners;
#[cfg(test)]
mod picklists;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod writes;
