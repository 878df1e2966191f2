import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/**
 * Keeps the total of each pair by Kafka Streams, exactly once, and sends an
 * alert to the topic "alerts" when it exceeds 8000: no PostgreSQL.  Ends when as
 * many messages as its argument says are committed, and prints how many
 * transactions and what amount the totals hold.
 */
public class Totals {
	private static final long THRESHOLD = 8000;
	private static final AtomicLong added = new AtomicLong();

	/** The store has amount and number of transactions of each pair. */
	private static class Adder implements Processor<String, String, String, String> {
		private ProcessorContext<String, String> context;
		private KeyValueStore<String, byte[]> totals;

		@Override
		public void init(ProcessorContext<String, String> context) {
			this.context = context;
			totals = context.getStateStore("totals");
		}

		@Override
		public void process(Record<String, String> record) {
			long amount = Long.parseLong(record.value());
			byte[] stored = totals.get(record.key());
			ByteBuffer before = ByteBuffer.wrap(stored == null ? new byte[16] : stored);
			long total = before.getLong() + amount;

			totals.put(record.key(),
				ByteBuffer.allocate(16).putLong(total).putLong(before.getLong() + 1).array());
			if (total > THRESHOLD && total - amount <= THRESHOLD)
				context.forward(record.withValue(Long.toString(total)));
			added.incrementAndGet();
		}
	}

	private static Topology topology() {
		StreamsBuilder builder = new StreamsBuilder();

		builder.addStateStore(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("totals"),
			Serdes.String(), Serdes.ByteArray()).withCachingEnabled());
		builder.stream(Arrays.asList(System.getenv("TOPICS").split(" ")),
				Consumed.with(Serdes.String(), Serdes.String()))
			.map((key, text) -> {
				int end = text.lastIndexOf(' ');

				return KeyValue.pair(text.substring(0, end), text.substring(end + 1));
			})
			.repartition(Repartitioned.with(Serdes.String(), Serdes.String()).withName("pairs"))
			.process(Adder::new, "totals")
			.to("alerts", Produced.with(Serdes.String(), Serdes.String()));
		return builder.build();
	}

	private static Properties settings() {
		Properties settings = new Properties();

		settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("GROUP"));
		settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("FINTRANS_BROKERS"));
		settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("WORK"));
		settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
		settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
		settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 10L << 20);
		settings.put(StreamsConfig.producerPrefix("linger.ms"), 50);
		settings.put(StreamsConfig.producerPrefix("batch.size"), 256 << 10);
		return settings;
	}

	private static void print(KafkaStreams streams) {
		long amount = 0;
		long transactions = 0;

		try (KeyValueIterator<String, byte[]> all = streams.store(StoreQueryParameters.fromNameAndType(
				"totals", QueryableStoreTypes.<String, byte[]>keyValueStore())).all()) {
			while (all.hasNext()) {
				ByteBuffer total = ByteBuffer.wrap(all.next().value);

				amount += total.getLong();
				transactions += total.getLong();
			}
		}
		System.out.println(transactions + " " + amount);
	}

	public static void main(String[] arguments) throws InterruptedException {
		long messages = Long.parseLong(arguments[0]);
		KafkaStreams streams = new KafkaStreams(topology(), settings());

		streams.start();
		while (added.get() < messages) {
			if (!streams.state().isRunningOrRebalancing() && streams.state() != KafkaStreams.State.CREATED)
				throw new IllegalStateException("Kafka Streams is " + streams.state());
			Thread.sleep(50);
		}
		print(streams);
		// which commits what is done
		streams.close();
	}
}
