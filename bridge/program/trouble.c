/*
 * A small table of kinds, searched from its start.
 */
#include "trouble.h"

static TroubleKind *find_kind(Trouble *trouble, int code);

bool
trouble_is_due(Trouble *trouble, int code, int64_t now_ms,
			   int64_t *suppressed)
{
	TroubleKind *kind = find_kind(trouble, code);

	if (now_ms < kind->next_ms)
	{
		kind->suppressed++;
		return false;
	}
	*suppressed = kind->suppressed;
	kind->suppressed = 0;
	kind->next_ms = now_ms + TROUBLE_REPORT_MS;
	return true;
}

void
trouble_forget(Trouble *trouble, int code)
{
	for (size_t i = 0; i < trouble->count; i++)
		if (trouble->kinds[i].code == code)
			trouble->kinds[i].next_ms = 0;
}

/* FNV-1a: two texts that share a code share their reports, no more. */
int
trouble_code(const char *text)
{
	uint32_t	hash = UINT32_C(2166136261);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char) *text) * UINT32_C(16777619);
	return (int) (hash >> 1);
}

static TroubleKind *
find_kind(Trouble *trouble, int code)
{
	TroubleKind *kind;

	for (size_t i = 0; i < trouble->count; i++)
		if (trouble->kinds[i].code == code)
			return &trouble->kinds[i];
	if (trouble->count < TROUBLE_KINDS)
		trouble->count++;
	kind = &trouble->kinds[trouble->count - 1];
	*kind = (TroubleKind)
	{
		.code = code
	};
	return kind;
}
