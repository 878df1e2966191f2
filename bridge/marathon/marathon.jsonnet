// The apps of Marathon, one a file, and the groups that install them all.
//
//	jsonnet -m DIRECTORY [--tla-str NAME=VALUE]... marathon.jsonnet
//
// NAME is an argument of the function at the end: what differs from site to site.
// `make marathon` writes the files beside this one, with the defaults.
local control = importstr '../../fintrans.control';
local version = [
  std.split(line, "'")[1]
  for line in std.split(control, '\n')
  if std.startsWith(line, 'default_version')
][0];

local unpacked = 'fintrans-' + version;
local secrets = '/etc/fintrans/secrets';

// "/fintrans/postgresql" is found by Mesos-DNS under this name
local host_of(name) = name + '-fintrans.marathon.mesos';

// What every app has, whatever it runs.
local app(name, cpus, mem) = {
  id: '/fintrans/' + name,
  instances: 1,
  cpus: cpus,
  mem: mem,
  networks: [{ mode: 'host' }],
  maxLaunchDelaySeconds: 60,
};

local from_tarball(site) = {
  fetch: [{ uri: site.tarball, extract: true, executable: false, cache: false }],
};

local mounted(path, from) = { containerPath: path, hostPath: from, mode: 'RO' };

// One of ours: unpacked from the tarball, or from the image if there is one.  It
// takes its HTTP port from $PORT0, and listens on all addresses, since Marathon
// asks for readiness from elsewhere.
local program(site, name, options, secret_names) = {
  cmd: 'exec ' + (if site.image == '' then './%s/bin/' % unpacked else '') +
       'fintrans-' + name + options,
  env: { FINTRANS_HTTP_LISTEN: '0.0.0.0' },
  portDefinitions: [{ port: 0, protocol: 'tcp', name: 'http' }],
  healthChecks: [{
    protocol: 'MESOS_HTTP',
    path: '/health',
    portIndex: 0,
    delaySeconds: 2,
    gracePeriodSeconds: 30,
    intervalSeconds: 5,
    timeoutSeconds: 3,
    maxConsecutiveFailures: 3,
  }],
  taskKillGracePeriodSeconds: 30,
  // old and new side by side, one more than wanted at a time
  upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
  // the other one may still be at work when its agent cannot be reached: each
  // transaction is stored once all the same
  unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
} + if site.image == '' then from_tarball(site) { user: 'fintrans' } else {
  container: {
    type: 'DOCKER',
    docker: { image: site.image },
    volumes: [mounted(secrets + '/' + file, secrets + '/' + file) for file in secret_names],
  },
};

local database(site, user) =
  'host=%s port=5432 dbname=fintrans user=%s' % [site.database, user];

// A bridge that died without a word is missed after ten seconds.
local bridge(site) = app('bridge', 0.25, 256) + program(site, 'bridge', ' -X session.timeout.ms=10000', ['bridge-password', 'influxdb-password']) + {
  constraints: [['hostname', 'GROUP_BY']],
  env+: {
    FINTRANS_BROKERS: site.brokers,
    FINTRANS_TOPICS: site.topics,
    FINTRANS_GROUP: 'fintrans',
    FINTRANS_DATABASE: database(site, 'bridge'),
    FINTRANS_PASSWORD_FILE: secrets + '/bridge-password',
    FINTRANS_INFLUX_URL: site.influxdb,
    FINTRANS_INFLUX_DATABASE: 'fintrans',
  } + if site.influxdb == '' then {} else {
    FINTRANS_INFLUX_USER: 'fintrans',
    FINTRANS_INFLUX_TOKEN_FILE: secrets + '/influxdb-password',
  },
  readinessChecks: [{
    name: 'loads its partitions',
    protocol: 'HTTP',
    path: '/ready',
    portName: 'http',
    intervalSeconds: 5,
    timeoutSeconds: 3,
    httpStatusCodesForReady: [200],
  }],
};

// What is not delivered within 20 seconds is given up, or it could not end
// within its grace without a broker.
local generator(site) = app('generator', 0.25, 64) + program(site, 'generator', ' -X message.timeout.ms=20000', []) + {
  env+: {
    FINTRANS_BROKERS: site.brokers,
    FINTRANS_TOPICS: site.topics,
    FINTRANS_WAIT_SECONDS: '2',
  },
};

local detector(site) = app('detector', 0.125, 32) + program(site, 'detector', '', ['detector-password']) + {
  env+: {
    FINTRANS_DATABASE: database(site, 'detector'),
    FINTRANS_PASSWORD_FILE: secrets + '/detector-password',
    FINTRANS_THRESHOLD: '8000',
    FINTRANS_PLAIN: 'true',
  },
};

// ------------------------------------------------- what stands beside them

// A server from an image, on a port by which the others find it.
local server(name, image, port, secret_names) = {
  requirePorts: true,
  portDefinitions: [{ port: port, protocol: 'tcp', name: name }],
  container: {
    type: 'DOCKER',
    docker: { image: image },
    volumes: [mounted('/run/secrets/' + file, secrets + '/' + file) for file in secret_names],
  },
  healthChecks: [{
    protocol: 'MESOS_TCP',
    portIndex: 0,
    gracePeriodSeconds: 300,
    intervalSeconds: 10,
    timeoutSeconds: 5,
    maxConsecutiveFailures: 6,
  }],
};

// Data that outlives the task: it is started again where that lies, after the
// old one has ended.
local keeps(path, megabytes) = {
  container+: {
    volumes+: [
      { containerPath: 'data', mode: 'RW', persistent: { type: 'root', size: megabytes } },
      { containerPath: path, hostPath: 'data', mode: 'RW' },
    ],
  },
  residency: { taskLostBehavior: 'WAIT_FOREVER' },
  unreachableStrategy: 'disabled',
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
  taskKillGracePeriodSeconds: 60,
};

local postgresql(site) = app('postgresql', 1, 1024) +
                         server('postgresql', 'postgres:15.14-bookworm', 5432, [
                           'postgresql-password',
                           'bridge-password',
                           'detector-password',
                           'grafana-password',
                         ]) + from_tarball(site) + keeps('/var/lib/postgresql/data', 20480) + {
  cmd: 'cp -R "$MESOS_SANDBOX/%s/postgresql/." / && exec docker-entrypoint.sh postgres -c shared_buffers=256MB -c max_wal_size=4GB' % unpacked,
  container+: {
    volumes+: [mounted('/docker-entrypoint-initdb.d/fintrans.sh', unpacked + '/marathon/database.sh')],
  },
  env: {
    POSTGRES_DB: 'fintrans',
    POSTGRES_PASSWORD_FILE: '/run/secrets/postgresql-password',
    POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=C',
    PGDATA: '/var/lib/postgresql/data/cluster',
  },
};

local influxdb = app('influxdb', 0.25, 512) +
                 server('influxdb', 'influxdb:1.8.10', 8086, ['influxdb-password']) +
                 keeps('/var/lib/influxdb', 10240) + {
  cmd: 'export INFLUXDB_ADMIN_PASSWORD="$(cat /run/secrets/influxdb-password)" && exec /entrypoint.sh influxd',
  env: {
    INFLUXDB_DB: 'fintrans',
    INFLUXDB_HTTP_AUTH_ENABLED: 'true',
    INFLUXDB_ADMIN_USER: 'fintrans',
  },
};

local grafana(site) = app('grafana', 0.25, 256) +
                      server('grafana', 'grafana/grafana:11.6.0', 3000, [
                        'grafana-admin-password',
                        'grafana-password',
                        'influxdb-password',
                      ]) + from_tarball(site) + {
  cmd: 'export FINTRANS_POSTGRESQL_PASSWORD="$(cat /run/secrets/grafana-password)" FINTRANS_INFLUXDB_PASSWORD="$(cat /run/secrets/influxdb-password)" && exec /run.sh',
  container+: {
    volumes+: [
      mounted('/etc/grafana/provisioning', unpacked + '/grafana/provisioning'),
      mounted('/etc/fintrans/grafana', unpacked + '/grafana'),
    ],
  },
  env: {
    GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana-admin-password',
    FINTRANS_POSTGRESQL: site.database + ':5432',
    FINTRANS_POSTGRESQL_DATABASE: 'fintrans',
    FINTRANS_POSTGRESQL_USER: 'grafana',
    FINTRANS_POSTGRESQL_SSLMODE: 'disable',
    FINTRANS_INFLUXDB: site.influxdb,
    FINTRANS_INFLUXDB_DATABASE: 'fintrans',
    FINTRANS_INFLUXDB_USER: 'fintrans',
  },
};

// One broker, which is controller too, and four partitions for each topic.  As
// root, since its volume is root's.
local kafka = app('kafka', 0.5, 1024) + server('kafka', 'apache/kafka:4.1.0', 9092, []) +
              keeps('/var/lib/kafka/data', 20480) + {
  cmd: 'exec /etc/kafka/docker/run',
  container+: { docker+: { parameters: [{ key: 'user', value: 'root' }] } },
  env: {
    KAFKA_HEAP_OPTS: '-Xms512m -Xmx512m',
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9093',
    KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://%s:9092' % host_of('kafka'),
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@127.0.0.1:9093',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_LOG_DIRS: '/var/lib/kafka/data/log',
    KAFKA_NUM_PARTITIONS: '4',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    CLUSTER_ID: 'fintransfintransfintrg',
  },
};

// Started in the order of their dependencies.
local after(names, app) = app { dependencies: ['/fintrans/' + name for name in names] };

local group(site, brokers) = {
  id: '/fintrans',
  apps: [
    postgresql(site),
    influxdb,
    after(['postgresql', 'influxdb'], grafana(site)),
    after(['postgresql'] + brokers, bridge(site)),
    after(['postgresql'], detector(site)),
    after(brokers, generator(site)),
  ],
};

// tarball	where agents fetch what `make dist` has made
// image	an image with the programs, to run these from instead of the tarball
// brokers	Kafka's brokers; by default those of the package of DC/OS
// topics	the cities
// database	host of PostgreSQL
// influxdb	URL of an InfluxDB; empty for none
function(
  tarball='http://artifacts.example.com/fintrans-%s-amd64.tar.gz' % version,
  image='',
  brokers='broker.kafka.l4lb.thisdcos.directory:9092',
  topics='London,NYC,SF,Moscow,Tokyo',
  database=host_of('postgresql'),
  influxdb='http://%s:8086' % host_of('influxdb')
)
  local site = {
    tarball: tarball,
    image: image,
    brokers: brokers,
    topics: topics,
    database: database,
    influxdb: influxdb,
  };
  local with_kafka = site { brokers: host_of('kafka') + ':9092' };
  {
    'bridge.json': bridge(site),
    'generator.json': generator(site),
    'detector.json': detector(site),
    'group.json': group(site, []),
    'group-kafka.json': group(with_kafka, ['kafka']) { apps: [kafka] + super.apps },
  }
