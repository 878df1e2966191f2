/*
 * A bridge that is stopped (SIGSTOP, a suspended machine) while it sends rows
 * keeps its database transaction, and so its partitions' next owner waits: no
 * timeout of PostgreSQL 15 ends a COPY whose client is there and sends
 * nothing.  The next owner does.  At worst that costs a bridge which was only
 * slow its batch: what it had sent is rolled back.
 */
#include "holder.h"

#include <stdio.h>

#include "log.h"

/* It has not been waited for any less, or nobody would ask. */
#define FROZEN_FOR "30 s"

/*
 * The row that cannot be locked names the database transaction that holds it,
 * whose lock on itself names the session.  Of other roles' sessions neither
 * state nor wait_event can be seen, so they are left alone.
 */
void
holder_end_frozen(Session *session, const char *topics, const char *partitions)
{
	const char *const parameters[] = {topics, partitions};
	Database   *database = session_database(session);
	char		sql[SESSION_SQL_BYTES];

	snprintf(sql, sizeof(sql),
			 "WITH held AS MATERIALIZED ("
			 " SELECT DISTINCT o.xmax AS xid"
			 " FROM %s.fintrans_offsets o"
			 " JOIN unnest($1::text[], $2::int4[]) AS m (topic, kafka_partition)"
			 " ON o.topic = m.topic AND o.kafka_partition = m.kafka_partition"
			 "), frozen AS MATERIALIZED ("
			 " SELECT a.pid FROM held h"
			 " JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted"
			 " AND l.transactionid = h.xid"
			 " JOIN pg_stat_activity a ON a.pid = l.pid"
			 " WHERE a.state = 'active' AND a.wait_event = 'ClientRead'"
			 " AND a.query LIKE 'COPY %%'"
			 " AND a.query_start < clock_timestamp() - interval '" FROZEN_FOR "'"
			 ") SELECT pid FROM frozen WHERE pg_terminate_backend(pid)",
			 session_schema(session));
	if (!database_run(database, sql, parameters, 2))
	{
		log_write(LOG_LEVEL_WARNING, "could not look who holds a position",
				  "text=%s", log_quote(database_error(database)->text,
									   (char[512]) {0}, 512));
		return;
	}
	for (int row = 0; row < database_rows(database); row++)
		log_write(LOG_LEVEL_WARNING,
				  "ended the session of a bridge that is frozen, and held a position",
				  "pid=%s", database_value(database, row, 0));
}
