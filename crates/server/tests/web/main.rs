//! The pages, asked as browsers ask them: through the middleware, with the real store.

mod access;
mod accounts;
mod forms;
mod pending;
mod site;
