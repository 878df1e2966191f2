/*
 * Plain text, with a currency and without.
 */
#include "check_codec.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Codec *without;
	static Codec *with;

	if (without == NULL)
	{
		without = open_codec(&(CodecSettings) {.format = "text"}, NULL);
		with = open_codec(&(CodecSettings) {.format = "text"}, "EUR");
	}
	check_codec(without, data, size);
	check_codec(with, data, size);
	return 0;
}
