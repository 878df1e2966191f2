/*
 * Both questions are answered by primary keys, and asked seldom: when
 * partitions are taken up, and after a batch that had dead letters.
 */
#include "influx_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "session.h"

struct InfluxLedger
{
	Session    *session;
};

static bool ask(InfluxLedger *ledger, const char *format,
				const char *const *parameters, int count);
static int64_t integer_at(const InfluxLedger *ledger, int row, int column);

InfluxLedger *
influx_ledger_new(const char *conninfo)
{
	InfluxLedger *ledger = calloc(1, sizeof(*ledger));

	if (ledger == NULL)
		return NULL;
	ledger->session = session_new(conninfo, NULL);
	if (ledger->session != NULL)
		return ledger;
	free(ledger);
	return NULL;
}

void
influx_ledger_free(InfluxLedger *ledger)
{
	if (ledger == NULL)
		return;
	session_free(ledger->session);
	free(ledger);
}

void
influx_ledger_rest(InfluxLedger *ledger)
{
	session_disconnect(ledger->session);
}

bool
influx_ledger_first(InfluxLedger *ledger, OffsetList *partitions)
{
	for (size_t i = 0; i < partitions->count; i++)
	{
		OffsetItem *item = &partitions->items[i];
		char		partition[16];
		const char *parameters[] = {item->topic, partition};

		snprintf(partition, sizeof(partition), "%" PRId32, item->partition);
		if (!ask(ledger, "SELECT first_offset FROM %s.fintrans_offsets"
				 " WHERE topic = $1 AND kafka_partition = $2::int4",
				 parameters, 2))
			return false;
		item->offset = -1;
		if (database_rows(session_database(ledger->session)) == 1)
			item->offset = integer_at(ledger, 0, 0);
	}
	return true;
}

bool
influx_ledger_refused(InfluxLedger *ledger, const char *topic,
					  int32_t partition, int64_t from, int64_t *offsets,
					  size_t max, size_t *count)
{
	char		texts[3][24];
	const char *parameters[] = {topic, texts[0], texts[1], texts[2]};
	int			rows;

	snprintf(texts[0], sizeof(texts[0]), "%" PRId32, partition);
	snprintf(texts[1], sizeof(texts[1]), "%" PRId64, from);
	snprintf(texts[2], sizeof(texts[2]), "%zu", max);
	if (!ask(ledger, "SELECT kafka_offset FROM %s.fintrans_dead_letters"
			 " WHERE topic = $1 AND kafka_partition = $2::int4"
			 " AND kafka_offset >= $3::int8"
			 " ORDER BY kafka_offset LIMIT $4::int8", parameters, 4))
		return false;
	rows = database_rows(session_database(ledger->session));
	*count = (size_t) rows;
	for (int row = 0; row < rows; row++)
		offsets[row] = integer_at(ledger, row, 0);
	return true;
}

const char *
influx_ledger_error(const InfluxLedger *ledger)
{
	return session_error(ledger->session)->text;
}

/* format has one %s, for the schema. */
static bool
ask(InfluxLedger *ledger, const char *format, const char *const *parameters,
	int count)
{
	Session    *session = ledger->session;
	char		sql[SESSION_SQL_BYTES];

	if (!session_is_connected(session) &&
		session_connect(session) != OUTCOME_DONE)
		return false;
	snprintf(sql, sizeof(sql), format, session_schema(session));
	if (session_run(session, sql, parameters, count) == OUTCOME_DONE)
		return true;
	session_disconnect(session);
	return false;
}

static int64_t
integer_at(const InfluxLedger *ledger, int row, int column)
{
	return strtoll(database_value(session_database(ledger->session), row,
								  column), NULL, 10);
}
