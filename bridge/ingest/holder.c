/*
 * A bridge that is stopped (SIGSTOP, a suspended machine) while it sends rows
 * keeps its database transaction, and so its partitions' next owner waits: no
 * timeout of PostgreSQL 15 ends a COPY whose client is there and sends
 * nothing.  The next owner does, when none of its rows has come between two
 * lock timeouts.  A bridge that is only slow, over a link that is, is left to
 * come to its end: two of different groups would end each other for ever.
 */
#include "holder.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

static void keep_mark(Holder *holder, const char *mark);

/*
 * The row that cannot be locked names the database transaction that holds it,
 * whose lock on itself names the session.  Of other roles' sessions neither
 * state nor wait_event can be seen, so they are left alone.
 */
void
holder_end_frozen(Holder *holder, Session *session, const char *topics,
				  const char *partitions)
{
	const char *const parameters[] = {topics, partitions, holder->seen};
	Database   *database = session_database(session);
	char		sql[SESSION_SQL_BYTES];

	snprintf(sql, sizeof(sql),
			 "WITH held AS MATERIALIZED ("
			 " SELECT DISTINCT o.xmax AS xid"
			 " FROM %s.fintrans_offsets o"
			 " JOIN unnest($1::text[], $2::int4[]) AS m (topic, kafka_partition)"
			 " ON o.topic = m.topic AND o.kafka_partition = m.kafka_partition"
			 "), frozen AS MATERIALIZED ("
			 " SELECT a.pid, concat_ws(':', a.pid, extract(epoch FROM a.query_start),"
			 " p.bytes_processed) AS mark FROM held h"
			 " JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted"
			 " AND l.transactionid = h.xid"
			 " JOIN pg_stat_activity a ON a.pid = l.pid"
			 " JOIN pg_stat_progress_copy p ON p.pid = l.pid"
			 " WHERE a.state = 'active' AND a.wait_event = 'ClientRead'"
			 " AND a.query LIKE 'COPY %%'"
			 ") SELECT pid, mark,"
			 " CASE WHEN mark = ANY (string_to_array($3, ' '))"
			 " THEN pg_terminate_backend(pid) ELSE false END FROM frozen",
			 session_schema(session));
	if (!database_run(database, sql, parameters, 3))
	{
		log_write(LOG_LEVEL_WARNING, "could not look who holds a position",
				  "text=%s", log_quote(database_error(database)->text,
									   (char[512]) {0}, 512));
		return;
	}
	holder->seen[0] = '\0';
	for (int row = 0; row < database_rows(database); row++)
		if (strcmp(database_value(database, row, 2), "t") == 0)
			log_write(LOG_LEVEL_WARNING,
					  "ended the session of a bridge that is frozen, and held a position",
					  "pid=%s", database_value(database, row, 0));
		else
			keep_mark(holder, database_value(database, row, 1));
}

/* Of more than there is room for, the next time tells. */
static void
keep_mark(Holder *holder, const char *mark)
{
	size_t		used = strlen(holder->seen);

	if (used + 1 + strlen(mark) < sizeof(holder->seen))
		snprintf(holder->seen + used, sizeof(holder->seen) - used, "%s%s",
				 used > 0 ? " " : "", mark);
}
