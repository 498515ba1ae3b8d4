//! The control tables as sea-orm entities. What they mean stands in the modules that use them.

mod forms;
mod people;
mod sessions;

pub use forms::{
    dataset_state, directory_group, directory_item, form_item, form_purpose, form_version, master_form, sub_form,
    user_group, user_group_member,
};
pub use people::{account, account_role, agency, client, password_history};
pub use sessions::{epoch, refresh_token, session};
