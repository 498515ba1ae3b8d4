mod support;
use cityquery::access::Rights;
use cityquery::catalog::load_builtin;
use cityquery::graphql::Face;
use cityquery::query::{cost::Bounds, planner, resolve};
use cityquery::store::layout::Databases as Open;
use std::sync::Arc;
use support::app::everything;
use support::caller::*;
use support::city::City;
use support::{Databases, Layout};
#[tokio::test]
async fn scratch() {
    let catalog = Arc::new(load_builtin().unwrap());
    let databases = Databases::empty(Layout::SqliteOne).await;
    let connections = catalog.connections(&databases.connections);
    cityquery::store::migrate::migrate(&connections).await.unwrap();
    let city = City::new(&catalog, 1);
    city.load(&connections).await;
    std::fs::copy(databases.folder.path().join("city.db"), "/tmp/city.db").unwrap();
    let text = std::fs::read_to_string("/tmp/q.graphql").unwrap();
    let face = Face::new(catalog.clone());
    let v = face.validate(&text, None, &limits()).unwrap();
    let vars = Default::default();
    let bounds = Bounds::new(&limits());
    let op = resolve::resolve(&catalog, v.operation(), &v.document.fragments, &vars, &bounds).unwrap();
    let open = Open::open(&databases.connections, std::time::Duration::from_secs(9)).unwrap();
    let rights = Rights::compile(&catalog, &everything(&catalog)).0;
    let plan = planner::plan(&catalog, &open, &rights, &bounds, &|_, _| panic!(), &op).unwrap();
    for (n, s) in plan.steps.iter().enumerate() {
        println!("{n} {} {:?}\n  {}\n  {:?} {:?}", s.path, s.needs, s.statement.sql, s.slots, s.link);
    }
    let engine = engine(&catalog, &databases.connections);
    let caller = caller(rights);
    let reply =
        engine.answer(Ok(&caller), cityquery::graphql::engine::Request { query: text, ..Default::default() }).await;
    println!("{}", String::from_utf8(reply.data.unwrap()).unwrap());
}
