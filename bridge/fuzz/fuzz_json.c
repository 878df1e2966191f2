/*
 * JSON, with the members that a bridge looks for by itself, and with all that
 * can be looked for, in objects within objects.
 */
#include "check_codec.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Codec *flat;
	static Codec *nested;

	if (flat == NULL)
	{
		flat = open_codec(&(CodecSettings) {.format = "json"}, NULL);
		nested = open_codec(&(CodecSettings) {.format = "json",
				.fields = "source=p.d.a,target=p.c.a,amount=p.v,currency=p.y,"
				"reference=id,time=t",.time_unit = "s"}, "EUR");
	}
	check_codec(flat, data, size);
	check_codec(nested, data, size);
	return 0;
}
