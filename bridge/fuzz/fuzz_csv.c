/*
 * CSV, with the columns that a bridge looks for by itself, and with a header.
 */
#include "check_codec.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Codec *numbered;
	static Codec *named;

	if (numbered == NULL)
	{
		numbered = open_codec(&(CodecSettings) {.format = "csv"}, NULL);
		named = open_codec(&(CodecSettings) {.format = "csv",
				.csv_header = "id,from,to,value,money,at",
				.fields = "source=from,target=to,amount=value,currency=money,"
				"reference=id,time=at"}, "EUR");
	}
	check_codec(numbered, data, size);
	check_codec(named, data, size);
	return 0;
}
