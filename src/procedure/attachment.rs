//! Documents attached to an application (附件), kept with their digests.

use async_graphql::InputObject;
use base64::Engine as _;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::agency::{check_text, check_title};
use super::application::Application;
use super::draft::{own, raise_revision};
use super::entity::document;
use super::fault::{conflict, wrong};
use super::step::Begun;
use super::{Act, Fault, Procedure};
use crate::accounts::secret;

/// Largest document in bytes.
const LARGEST: usize = 8 << 20;

/// 附件: a document to be attached.
#[derive(Debug, Clone, InputObject)]
pub struct DocumentInput {
    /// 檔名: name of the file.
    pub name: String,
    /// 格式: media type, `application/pdf`.
    pub media_type: String,
    /// 應備文件: which of the documents that a custodian demands it is.
    pub fulfils: Option<String>,
    /// 內容: the file in base64, 8 MiB at most and no more than one request may hold.
    pub content: String,
}

impl Procedure {
    /// Attaches a document to an application of one's agency that is not decided yet.
    pub async fn attach_document(
        &self,
        act: &Act,
        number: &str,
        revision: i32,
        input: &DocumentInput,
    ) -> Result<Application, Fault> {
        let name = check_title("name", &input.name)?;
        let media_type = check_text("mediaType", &input.media_type, 100)?;
        let fulfils = input.fulfils.as_deref().filter(|of| !of.trim().is_empty());
        let fulfils = fulfils.map(|of| check_title("fulfils", of)).transpose()?;
        let content = base64::engine::general_purpose::STANDARD
            .decode(input.content.as_bytes())
            .map_err(|_| wrong("content", "expected base64", "應為 base64"))?;
        if content.is_empty() || content.len() > LARGEST {
            return Err(wrong("content", "expected 1 byte to 8 MiB", "應為 1 位元組至 8 MiB"));
        }
        let sha256 = secret::hex(&Sha256::digest(&content));
        let step = match self.begin(act, "attachDocument").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number, revision).await?;
        if !matches!(whole.header.status.as_str(), "draft" | "submitted") {
            return Err(conflict("It is decided already.", "已審定，不得再附加文件。", whole.current()));
        }
        let row = document::ActiveModel {
            subject_kind: Set("application".to_owned()),
            subject_id: Set(whole.header.id),
            name: Set(name.to_owned()),
            media_type: Set(media_type.to_owned()),
            fulfils: Set(fulfils.map(str::to_owned)),
            content: Set(content),
            sha256: Set(sha256.clone()),
            added_by: Set(act.caller.account.to_string()),
            added_at: Set(self.now()),
            ..Default::default()
        };
        document::Entity::insert(row).exec_without_returning(step.tx()).await?;
        raise_revision(step.tx(), &whole).await?;
        let detail = json!({ "number": number, "document": name, "sha256": sha256 });
        step.finish("application", whole.header.id, detail).await?;
        self.application_by_id(whole.header.id).await
    }
}
