/** A field of a message, as it is on the wire. */
export interface Field {
  readonly number: number;
  /** Of a varint or a fixed-width number. */
  readonly value: bigint;
  /** Of what has a length: text, bytes, messages. */
  readonly bytes: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Reads the fields of a protobuf message, in order.
 * @see https://protobuf.dev/programming-guides/encoding/
 * @throws Error when it is none
 */
export function readFields(message: Buffer): Field[] {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const fields: Field[] = [];
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0:
        fields.push({ number, value: varint(), bytes: NO_BYTES });
        break;
      case 1:
        fields.push({ number, value: message.readBigUInt64LE(at), bytes: NO_BYTES });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > message.length) throw new Error('The message is cut off.');
        fields.push({ number, value: 0n, bytes: message.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        fields.push({ number, value: BigInt(message.readUInt32LE(at)), bytes: NO_BYTES });
        at += 4;
        break;
      default:
        throw new Error(`Not protobuf: ${tag}`);
    }
  }
  return fields;
}

/** The messages, texts or bytes of all fields of one number. */
export function all(fields: readonly Field[], number: number): Buffer[] {
  return fields.filter((field) => field.number === number).map(({ bytes }) => bytes);
}

export function first(fields: readonly Field[], number: number): Field | undefined {
  return fields.find((field) => field.number === number);
}
