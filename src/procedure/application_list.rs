//! Which applications somebody may see, and loading them: many at once with as few statements as one. What an
//! application is stands in `application`.

use std::collections::HashMap;

use async_graphql::ID;
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use time::OffsetDateTime;

use super::agency::{agency_codes, get_agency};
use super::application::{Application, ApplicationStatus, Document, Whole, status_word, unknown};
use super::difference;
use super::entity::{annex, annex_item, application, decision, document};
use super::fault::not_found;
use super::page::{Page, no_entry};
use super::watch::oversees;
use super::{Act, Fault, Procedure, has_role};
use crate::access::{Item, Role};
use crate::accounts::entity::master_form;

/// What is shown of a document: all but its content.
#[derive(Debug, Clone, FromQueryResult)]
pub(crate) struct Attached {
    id: i64,
    subject_id: i64,
    name: String,
    media_type: String,
    fulfils: Option<String>,
    bytes: i64,
    sha256: String,
    added_by: String,
    added_at: OffsetDateTime,
}

impl Procedure {
    /// The applications that the caller may see, newest first: those of one's agency, those to decide on, all for the
    /// information office, the ethics office and the commission.
    pub async fn applications(
        &self,
        act: &Act,
        status: Option<ApplicationStatus>,
        page: &Page,
    ) -> Result<Vec<Application>, Fault> {
        let visible = self.visible(act).await?;
        let mut all = application::Entity::find()
            .filter(visible.clone())
            .order_by_desc(application::Column::Id)
            .limit(page.limit()?);
        if let Some(status) = status {
            all = all.filter(application::Column::Status.eq(status_word(status)));
        }
        if let Some(after) = &page.after {
            let last = application::Entity::find().filter(application::Column::Number.eq(after)).filter(visible);
            let last = last.one(self.db()).await?.ok_or_else(|| no_entry(after))?;
            all = all.filter(application::Column::Id.lt(last.id));
        }
        let headers = all.all(self.db()).await?;
        self.applications_shown(load_all(self.db(), headers).await?).await
    }

    /// One application.
    pub async fn application(&self, act: &Act, number: &str) -> Result<Application, Fault> {
        let row = application::Entity::find().filter(application::Column::Number.eq(number));
        let row = row.filter(self.visible(act).await?).one(self.db()).await?;
        self.application_shown(load(self.db(), row.ok_or_else(|| unknown(number))?).await?).await
    }

    /// The content of an attached document, in base64.
    pub async fn document(&self, act: &Act, id: &ID) -> Result<String, Fault> {
        use base64::Engine as _;
        let missing = || not_found("document", "附件", id);
        let number: i64 = id.parse().map_err(|_| missing())?;
        let of = document::Entity::find_by_id(number).filter(document::Column::SubjectKind.eq("application"));
        let row = of.one(self.db()).await?.ok_or_else(missing)?;
        let header = application::Entity::find_by_id(row.subject_id).filter(self.visible(act).await?);
        match header.one(self.db()).await? {
            Some(_) => Ok(base64::engine::general_purpose::STANDARD.encode(row.content)),
            None => Err(missing()),
        }
    }

    /// A draft is its agency's own; what was handed in is seen by those who decide and by those who watch.
    async fn visible(&self, act: &Act) -> Result<Condition, Fault> {
        let caller = &act.caller;
        let own = get_agency(self.db(), &caller.agency).await?;
        // One that was taken back before anybody was handed it is a draft still.
        let handed_in = application::Column::SubmittedAt.is_not_null().and(application::Column::Status.ne("draft"));
        let visible = Condition::any().add(application::Column::AgencyId.eq(own.id));
        if oversees(self.db(), act).await? {
            return Ok(visible.add(handed_in));
        }
        let decides = [Role::DatabaseAdministrator, Role::AgencyHead];
        if !decides.into_iter().any(|role| has_role(caller, role)) {
            return Ok(visible);
        }
        let theirs = annex::Entity::find()
            .select_only()
            .column(annex::Column::ApplicationId)
            .filter(annex::Column::Custodian.eq(&*caller.agency))
            .into_query();
        Ok(visible.add(Condition::all().add(handed_in).add(application::Column::Id.in_subquery(theirs))))
    }

    pub(crate) async fn application_by_id(&self, id: i64) -> Result<Application, Fault> {
        let header = application::Entity::find_by_id(id).one(self.db()).await?;
        self.application_shown(load(self.db(), header.ok_or_else(|| unknown(&id.to_string()))?).await?).await
    }

    async fn application_shown(&self, whole: Whole) -> Result<Application, Fault> {
        let number = whole.header.number.clone();
        self.applications_shown(vec![whole]).await?.pop().ok_or_else(|| unknown(&number))
    }

    async fn applications_shown(&self, all: Vec<Whole>) -> Result<Vec<Application>, Fault> {
        let mut documents = attached(self.db(), all.iter().map(|whole| whole.header.id)).await?;
        let changed: Vec<i64> = all.iter().filter_map(|whole| whole.header.form_id).collect();
        let forms = master_form::Entity::find().filter(master_form::Column::Id.is_in(changed.iter().copied()));
        let forms = forms.all(self.db()).await?;
        let forms: HashMap<i64, String> = forms.into_iter().map(|form| (form.id, form.number)).collect();
        let in_force = difference::all_in_force(self.db(), &changed).await?;
        let shown = all.into_iter().map(|whole| {
            let form = whole.header.form_id;
            let asked =
                |item: &Item| self.custodian_of(&item.coordinate).is_some_and(|custodian| whole.asks(custodian));
            let difference = form.and_then(|id| in_force.get(&id)).map(|before| difference::of(&whole, before, asked));
            let documents = documents.remove(&whole.header.id).unwrap_or_default();
            whole.shown(form.and_then(|id| forms.get(&id).cloned()), difference.unwrap_or_default(), documents)
        });
        Ok(shown.collect())
    }
}

impl Attached {
    fn shown(self) -> Document {
        Document {
            id: self.id.into(),
            name: self.name,
            media_type: self.media_type,
            fulfils: self.fulfils,
            bytes: self.bytes,
            sha256: self.sha256,
            added_by: self.added_by,
            added_at: self.added_at,
        }
    }
}

/// Documents of applications, each by its application, in the order in which they were attached; without their contents.
async fn attached(
    db: &impl ConnectionTrait,
    applications: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Vec<Document>>, Fault> {
    use document::Column;
    let rows = document::Entity::find()
        .select_only()
        .columns([Column::Id, Column::SubjectId, Column::Name, Column::MediaType, Column::Fulfils])
        .columns([Column::Sha256, Column::AddedBy, Column::AddedAt])
        // Bytes in all three databases, and BIGINT wherever it is read.
        .column_as(Expr::cust("CAST(length(content) AS BIGINT)"), "bytes")
        .filter(Column::SubjectKind.eq("application"))
        .filter(Column::SubjectId.is_in(applications))
        .order_by_asc(Column::Id)
        .into_model::<Attached>()
        .all(db)
        .await?;
    let mut by_application: HashMap<i64, Vec<Document>> = HashMap::new();
    for row in rows {
        by_application.entry(row.subject_id).or_default().push(row.shown());
    }
    Ok(by_application)
}

/// The application of that number, whoever asks.
pub(crate) async fn find(db: &impl ConnectionTrait, number: &str) -> Result<Whole, Fault> {
    let header = application::Entity::find().filter(application::Column::Number.eq(number)).one(db).await?;
    load(db, header.ok_or_else(|| unknown(number))?).await
}

/// Everything that belongs to a header.
async fn load(db: &impl ConnectionTrait, header: application::Model) -> Result<Whole, Fault> {
    let number = header.number.clone();
    load_all(db, vec![header]).await?.pop().ok_or_else(|| unknown(&number))
}

/// Everything that belongs to each of these headers, in their order.
async fn load_all(db: &impl ConnectionTrait, headers: Vec<application::Model>) -> Result<Vec<Whole>, Fault> {
    let agencies = agency_codes(db, headers.iter().map(|header| header.agency_id)).await?;
    let rows = annex::Entity::find()
        .filter(annex::Column::ApplicationId.is_in(headers.iter().map(|header| header.id)))
        .order_by_asc(annex::Column::Custodian)
        .all(db)
        .await?;
    let items = annex_item::Entity::find()
        .filter(annex_item::Column::AnnexId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(annex_item::Column::Id)
        .all(db)
        .await?;
    let mut decisions: HashMap<i64, Vec<decision::Model>> = HashMap::new();
    let of_annexes = decision::Column::AnnexId.is_in(rows.iter().map(|row| row.id));
    let all = decision::Entity::find().filter(of_annexes).order_by_asc(decision::Column::Id);
    for row in all.all(db).await? {
        decisions.entry(row.annex_id).or_default().push(row);
    }
    let mut by_annex: HashMap<i64, Vec<annex_item::Model>> = HashMap::new();
    for item in items {
        by_annex.entry(item.annex_id).or_default().push(item);
    }
    let mut annexes: HashMap<i64, Vec<(annex::Model, Vec<annex_item::Model>)>> = HashMap::new();
    for row in rows {
        let items = by_annex.remove(&row.id).unwrap_or_default();
        annexes.entry(row.application_id).or_default().push((row, items));
    }
    let whole = headers.into_iter().map(|header| {
        let annexes = annexes.remove(&header.id).unwrap_or_default();
        Whole {
            agency: agencies.get(&header.agency_id).cloned().unwrap_or_else(|| "-".to_owned()),
            decisions: annexes.iter().filter_map(|(annex, _)| decisions.remove_entry(&annex.id)).collect(),
            annexes,
            header,
        }
    });
    Ok(whole.collect())
}
