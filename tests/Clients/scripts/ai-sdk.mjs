// npm ai over @ai-sdk/openai (both of its APIs) or @ai-sdk/openai-compatible, by the first argument.
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { assert, baseURL, endless, failure, isWeather, key, model, run } from './calls.mjs';

const kind = process.argv[2];
const openai = createOpenAI();
const compatible = createOpenAICompatible({ name: 'kvtiers', baseURL, apiKey: key, includeUsage: true, supportsStructuredOutputs: true });
const language = { chat: (id) => openai.chat(id), responses: (id) => openai(id), compatible: (id) => compatible(id) }[kind];
const common = { temperature: 0, maxOutputTokens: 40, maxRetries: 0 };
const biased = { openai: { logitBias: endless }, kvtiers: { logit_bias: endless } };
const Weather = z.object({ city: z.string().max(20), unit: z.enum(['celsius', 'fahrenheit']) });
const get_weather = tool({ description: 'The weather in a city.', inputSchema: Weather, execute: async ({ city }) => ({ city, degrees: 21 }) });

await run({
  'a conversation of several turns': async () => {
    const messages = [{ role: 'user', content: 'My name is Marta and I live in Lisbon.' }];
    const first = await generateText({ model: language(model), messages, ...common });
    messages.push(...first.response.messages, { role: 'user', content: 'What is my name?' });
    const second = await generateText({ model: language(model), messages, ...common });
    assert.match(second.text, /Marta/);
    assert.equal(second.finishReason, 'stop');
    assert.ok(second.usage.cachedInputTokens >= first.usage.inputTokens);
  },

  'a stream brings what the whole answer is': async () => {
    const prompt = 'I have a cat called Miso.';
    const whole = await generateText({ model: language(model), prompt, ...common });
    const stream = streamText({ model: language(model), prompt, ...common });
    let text = '';
    for await (const delta of stream.textStream) text += delta;
    assert.equal(text, whole.text);
    assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);
  },

  'a stream is cancelled': async () => {
    const abort = new AbortController();
    const stream = streamText({
      model: language(model), prompt: 'Hello!', ...common, maxOutputTokens: 1500, providerOptions: biased, abortSignal: abort.signal,
    });
    const kinds = [];
    for await (const part of stream.fullStream) {
      kinds.push(part.type);
      if (kinds.filter((one) => one === 'text-delta').length === (kind === 'responses' ? 1 : 5)) abort.abort();
    }
    assert.equal(kinds.at(-1), 'abort');
  },

  'an unknown model is an APICallError': async () => {
    const error = await failure(() => generateText({ model: language('another'), prompt: 'x', ...common }));
    assert.ok(APICallError.isInstance(error));
    assert.deepEqual([error.statusCode, error.isRetryable, JSON.parse(error.responseBody).error.code], [404, false, 'model_not_found']);
  },

  'a value out of range is an APICallError with its param': async () => {
    const error = await failure(() => generateText({ model: language(model), prompt: 'x', ...common, temperature: 3 }));
    assert.deepEqual([error.statusCode, JSON.parse(error.responseBody).error.param], [400, 'temperature']);
  },

  'tools: a call, its result, and the answer': async () => {
    const result = await generateText({
      model: language(model), prompt: 'What is the weather in Lisbon?', ...common, maxOutputTokens: 300,
      tools: { get_weather }, prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? 'required' : 'none' }), stopWhen: stepCountIs(2),
    });
    isWeather(result.steps[0].toolCalls[0].input);
    assert.equal(result.steps[0].toolResults[0].output.degrees, 21);
    assert.equal(result.steps.length, 2);
  },

  'tools: streamed': async () => {
    const stream = streamText({
      model: language(model), prompt: 'What is the weather in Lisbon?', ...common, maxOutputTokens: 300, tools: { get_weather }, toolChoice: 'required',
    });
    isWeather((await stream.toolCalls)[0].input);
  },

  'structured: an object of a zod schema': async () => {
    const { object } = await generateObject({ model: language(model), prompt: 'The weather in Lisbon?', schema: Weather, ...common, maxOutputTokens: 300 });
    isWeather(object);
  },

  embeddings: async () => {
    const provider = kind === 'compatible' ? compatible : openai;
    const { embeddings } = await embedMany({ model: provider.textEmbeddingModel(model), values: ['one', 'two'], maxRetries: 0 });
    assert.equal(embeddings.length, 2);
  },
});
