// Adds a job, reads the result and the fire: JavaScript with kafkajs.
//
//     npm install && node example.js localhost:9092 belfry billing invoice
const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require('kafkajs');
const { randomUUID } = require('crypto');
const lz4 = require('lz4js');

// Belfry's records are compressed with lz4, which kafkajs leaves to a codec.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
});

const [bootstrap, cluster, group, jobId] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR });

// The first record that is wanted, from the beginning of the topic. kafkajs reads committed
// records only, unless it is told otherwise.
async function read(topic, wanted) {
  const consumer = kafka.consumer({ groupId: randomUUID() }); // a service of yours keeps one name
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found = await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`nothing on ${topic} within 30 s`)), 30000).unref();
    consumer.run({
      eachMessage: async ({ message }) => {
        let value = null;
        try {
          value = JSON.parse(message.value);
        } catch { /* the payload of a fire in binary mode */ }
        if (value !== null && wanted(value)) resolve(value);
      },
    });
  });
  await consumer.disconnect();
  return found;
}

async function main() {
  const commandId = randomUUID();
  const job = {
    group, id: jobId, schedule: { at: new Date().toISOString() }, payload: { from: 'javascript' },
  };
  // The default partitioner takes a group to its shard.
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({
    topic: `${cluster}.control`,
    messages: [{ key: group, value: JSON.stringify({ op: 'add', command_id: commandId, job }) }],
  });
  await producer.disconnect();

  const result = await read(`${cluster}.results`, (message) => message.command_id === commandId);
  console.log(JSON.stringify(result));
  const fire = await read(`${cluster}.fires`, (message) => message.subject === `${group}/${jobId}`);
  console.log(JSON.stringify(fire));
}

main().catch((error) => { console.error(error.message); process.exit(1); });
