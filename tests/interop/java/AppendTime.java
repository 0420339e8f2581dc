// What kafka-clients knows of when a record was appended.
//
//     java -cp 'libs/*' AppendTime.java localhost:9092 belfry.runs
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

public class AppendTime {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> options = Map.of("bootstrap.servers", arguments[0]);
        StringSerializer texts = new StringSerializer();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(options, texts, texts)) {
            RecordMetadata sent =
                producer.send(new ProducerRecord<>(arguments[1], null, 1L, null, "java")).get();
            System.out.println(sent.offset() + " " + sent.timestamp());
        }
    }
}
