//! Tests of which places a pipeline touches.

use super::catalogue::catalogue;
use super::{WHOLE, pipeline};
use crate::pipeline::Reference;

fn written(places: &[Reference]) -> Vec<String> {
    places.iter().map(Reference::to_string).collect()
}

#[test]
fn a_pipeline_touches_what_its_blocks_and_their_queries_name() {
    let touches = pipeline(WHOLE).touches(&catalogue());
    // `public.base` is read too, after the pipeline has made it.
    assert_eq!(written(&touches.reads), ["shop.public.orders", "shop.customers"]);
    assert_eq!(written(&touches.writes), ["shop.public.base", "shop.public.\"Big Orders\"", "shop.public.features"]);
}

#[test]
fn files_are_touched_by_their_path_and_unreadable_queries_by_their_connection() {
    let text = "
connections: {shop: postgres://127.0.0.1/shop, lake: s3://lake}
blocks:
  a: {extract: 'lake/raw/*.parquet'}
  b: {extract: {connection: shop, query: 'select @@ from nowhere ??'}}
  c: {sql: 'with x as (select * from own.t) select * from x join other o on true', in: shop, to: public.c}
  d: {load: a, to: out/d.csv}
";
    let touches = pipeline(text).touches(&catalogue());
    assert_eq!(written(&touches.reads), ["lake/raw/*.parquet", "a query of shop", "shop.own.t", "shop.other"]);
    assert_eq!(written(&touches.writes), ["shop.public.c", "file:///srv/out/d.csv"]);
}
