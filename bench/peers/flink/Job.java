import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the statements of SQL of files, each to its end; ${NAME} in them is a variable of the environment. */
public class Job {
	private static String filled(String text) {
		for (Map.Entry<String, String> variable : System.getenv().entrySet())
			text = text.replace("${" + variable.getKey() + "}", variable.getValue());
		return text;
	}

	public static void main(String[] files) throws Exception {
		TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.inStreamingMode());

		environment.getConfig().set("execution.checkpointing.interval", "10 s");
		// by default it keeps no more than 5 MB of state, and fails checkpoint after checkpoint
		environment.getConfig().set("execution.checkpointing.storage", "filesystem");
		environment.getConfig().set("execution.checkpointing.dir", "file://" + System.getenv("WORK") + "/checkpoints");
		environment.getConfig().set("parallelism.default", "1");
		environment.getConfig().set("table.exec.mini-batch.enabled", "true");
		environment.getConfig().set("table.exec.mini-batch.allow-latency", "1 s");
		environment.getConfig().set("table.exec.mini-batch.size", "20000");
		for (String file : files)
			for (String statement : filled(Files.readString(Path.of(file))).split(";\n"))
				environment.executeSql(statement).await();
	}
}
