/*
 * The stored form of window states.
 *
 * A version byte; the number of windows; for each window its generation, cap,
 * how many of newest and late it has and these, FORM_ flags, the number of
 * entries; for each entry the step from the last one's bucket, key,
 * transactions and total, as far as the flags say.  All numbers are varints of
 * seven bits a byte, low ones first; signed ones fold the sign into the lowest
 * bit.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "compat.h"
#include "window_form.h"

#define STORED_VERSION 1

/* What entries are stored like. */
#define FORM_TOTALS 1			/* rules that count have none */
#define FORM_HASHES 2			/* keys take HASH_BYTES each, low ones first */

#define HASH_BYTES 6

/* Fewer decimals than that are a total in int64 units; else it is numeric. */
#define TAG_NUMERIC 0xFF

/* ------------------------------------------------------------- writing */

/*
 * Most bytes of a window without entries, and of an entry without a total that
 * is numeric: so much room is made before they are written.
 */
#define MAX_NUMBER_BYTES 10
#define MAX_ENTRY_BYTES (7 * MAX_NUMBER_BYTES)

static inline char *
write_unsigned(char *out, uint64 value)
{
	while (value >= 0x80)
	{
		*out++ = (char) (value | 0x80);
		value >>= 7;
	}
	*out++ = (char) value;
	return out;
}

static inline char *
write_signed(char *out, int64 value)
{
	return write_unsigned(out, ((uint64) value << 1) ^ (uint64) (value >> 63));
}

static inline char *
write_hash(char *out, uint64 key)
{
	int			i;

	for (i = 0; i < HASH_BYTES; i++)
		*out++ = (char) (key >> (8 * i));
	return out;
}

/* Where to write next, with room for an entry. */
static inline char *
make_room(StringInfo out)
{
	enlargeStringInfo(out, MAX_ENTRY_BYTES);
	return out->data + out->len;
}

static void
write_numeric(StringInfo out, Numeric value)
{
	char	   *text =
		DatumGetCString(DirectFunctionCall1(numeric_out,
											NumericGetDatum(value)));
	char	   *next = make_room(out);

	*next++ = (char) TAG_NUMERIC;
	next = write_unsigned(next, strlen(text));
	out->len = next - out->data;
	appendStringInfoString(out, text);
	pfree(text);
}

/* The shortest form that has room for all entries. */
static int
fitting_form(const Window *window)
{
	uint64		largest = 0;
	bool		totals = false;
	int			i;

	for (i = 0; i < window->count; i++)
	{
		const WindowEntry *entry = &window->entries[i];

		largest = Max(largest, entry->key);
		totals |= entry->total.big != NULL || entry->total.units != 0;
	}
	return (totals ? FORM_TOTALS : 0) |
		(largest > 1 && largest >> (8 * HASH_BYTES) == 0 ? FORM_HASHES : 0);
}

static void
write_entry(StringInfo out, const WindowEntry *entry, int64 step, int form)
{
	char	   *next = make_room(out);

	next = write_signed(next, step);
	next = form & FORM_HASHES ? write_hash(next, entry->key) :
		write_unsigned(next, entry->key);
	next = write_signed(next, entry->transactions);
	if (form & FORM_TOTALS && entry->total.big == NULL)
	{
		*next++ = (char) entry->total.decimals;
		next = write_signed(next, entry->total.units);
	}
	out->len = next - out->data;
	if (entry->total.big != NULL)
		write_numeric(out, entry->total.big);
}

static void
write_window(StringInfo out, const Window *window)
{
	char	   *next = make_room(out);
	int			form = fitting_form(window);
	int64		bucket = 0;
	int			i;

	next = write_unsigned(next, window->generation);
	next = write_unsigned(next, window->cap);
	next = write_unsigned(next, (window->newest != WINDOW_NEVER) +
						  (window->late != WINDOW_NEVER));
	if (window->newest != WINDOW_NEVER)
		next = write_signed(next, window->newest);
	if (window->late != WINDOW_NEVER)
		next = write_signed(next, window->late);
	next = write_unsigned(next, form);
	next = write_unsigned(next, window->count);
	out->len = next - out->data;
	for (i = 0; i < window->count; i++)
	{
		write_entry(out, &window->entries[i],
					window->entries[i].bucket - bucket, form);
		bucket = window->entries[i].bucket;
	}
}

bytea *
window_form_encode(const Windows *windows)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	out.len = VARHDRSZ;
	out.data[out.len++] = STORED_VERSION;
	out.len = write_unsigned(out.data + out.len, windows->count) - out.data;
	for (i = 0; i < windows->count; i++)
		write_window(&out, &windows->windows[i]);
	SET_VARSIZE(out.data, out.len);
	return (bytea *) out.data;
}

/* ------------------------------------------------------------- reading */

/* What is left to read. */
typedef struct Reader
{
	const char *next;
	const char *end;
} Reader;

static void
refuse_stored(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("window state is damaged"),
			 errhint("SELECT * FROM fintrans_rebuild() makes it anew.")));
}

static inline uint8
read_byte(Reader *reader)
{
	if (reader->next == reader->end)
		refuse_stored();
	return (uint8) *reader->next++;
}

static inline uint64
read_unsigned(Reader *reader)
{
	uint64		value = 0;
	int			shift;
	uint8		byte;

	for (shift = 0; shift < 64; shift += 7)
	{
		byte = read_byte(reader);
		value |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	refuse_stored();
	return 0;
}

static inline int64
read_signed(Reader *reader)
{
	uint64		value = read_unsigned(reader);

	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

static uint64
read_hash(Reader *reader)
{
	uint64		key = 0;
	int			i;

	if (reader->end - reader->next < HASH_BYTES)
		refuse_stored();
	for (i = 0; i < HASH_BYTES; i++)
		key |= (uint64) (uint8) reader->next[i] << (8 * i);
	reader->next += HASH_BYTES;
	return key;
}

/* A number of things that take at least a byte each. */
static int
read_count(Reader *reader)
{
	uint64		value = read_unsigned(reader);

	if (value > (uint64) (reader->end - reader->next))
		refuse_stored();
	return (int) value;
}

static int
read_integer(Reader *reader)
{
	uint64		value = read_unsigned(reader);

	if (value > PG_INT32_MAX)
		refuse_stored();
	return (int) value;
}

static void
read_amount(Reader *reader, Amount *amount)
{
	uint8		tag = read_byte(reader);
	char	   *text;
	size_t		length;

	if (tag <= AMOUNT_MAX_DECIMALS)
	{
		amount->decimals = tag;
		amount->units = read_signed(reader);
		return;
	}
	if (tag != TAG_NUMERIC)
		refuse_stored();
	length = read_count(reader);
	text = pnstrdup(reader->next, length);
	if (length == 0 || strspn(text, "-.0123456789") != length)
		refuse_stored();
	amount_from_datum(amount,
					  DirectFunctionCall3(numeric_in,
										  CStringGetDatum(text),
										  ObjectIdGetDatum(InvalidOid),
										  Int32GetDatum(-1)));
	reader->next += length;
}

static void
read_window(Reader *reader, Windows *windows)
{
	int			generation = read_integer(reader);
	Window	   *window = windows_append(windows, generation,
										read_integer(reader));
	int64		bucket = 0;
	int			times;
	int			form;
	int			i;

	times = read_integer(reader);
	if (times > 0)
		window->newest = read_signed(reader);
	if (times > 1)
		window->late = read_signed(reader);
	form = read_integer(reader);
	window->count = window->room = read_count(reader);
	window->entries = palloc(Max(window->room, 1) * sizeof(WindowEntry));
	for (i = 0; i < window->count; i++)
	{
		WindowEntry *entry = &window->entries[i];

		bucket += read_signed(reader);
		entry->bucket = bucket;
		entry->key = form & FORM_HASHES ? read_hash(reader) :
			read_unsigned(reader);
		entry->transactions = read_signed(reader);
		memset(&entry->total, 0, sizeof(entry->total));
		if (form & FORM_TOTALS)
			read_amount(reader, &entry->total);
		if (i > 0 && window_compare_entries(entry - 1, entry) >= 0)
			refuse_stored();
	}
}

void
window_form_decode(Windows *windows, const bytea *stored)
{
	Reader		reader = {
		VARDATA_ANY(stored), VARDATA_ANY(stored) + VARSIZE_ANY_EXHDR(stored)
	};
	int			count;
	int			i;

	if (read_byte(&reader) != STORED_VERSION)
		refuse_stored();
	count = read_count(&reader);
	windows_create(windows, count);
	for (i = 0; i < count; i++)
		read_window(&reader, windows);
	if (reader.next != reader.end)
		refuse_stored();
}
