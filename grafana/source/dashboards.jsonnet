// jsonnet -m .. dashboards.jsonnet: every dashboard to its file.
local pipeline = import 'pipeline.libsonnet';

{
  'dashboards/overall.json': import 'overall.libsonnet',
  'dashboards/laundering.json': import 'laundering.libsonnet',
  'dashboards/pipeline.json': pipeline.sql,
  'prometheus/pipeline.json': pipeline.prometheus,
}
