import { baseFile, edit, edits, file, type Mistake, several } from './base-file.ts';

const from = (start: string, end: string): string => baseFile.slice(baseFile.indexOf(start), baseFile.indexOf(end));
const apis = baseFile.slice(baseFile.indexOf('apis:\n'));
const gateway = from('gateway:', 'environments:\n  test: e1');

/** Mistakes in keys, levels and names, in text that is valid YAML. */
export const structureMistakes: readonly Mistake[] = [
  // Misspelt keys.
  edit(
    'enviroments at the top',
    'environments:\n  test: e1\n',
    '«enviroments»:\n  test: e1\n',
    'unknown key `enviroments`',
    'did you mean `environments`?',
  ),
  edit(
    'enviroments in an API',
    '    environments: { test: online, release: online }\n',
    '    «enviroments»: { test: online, release: online }\n',
    'unknown key `enviroments`',
    'did you mean `environments`?',
  ),
  edit(
    'environment in an API',
    '    environments: { test: online, release: online }\n',
    '    «environment»: { test: online, release: online }\n',
    'did you mean `environments`?',
  ),
  edit('api for apis', 'apis:\n', '«api»:\n', 'unknown key `api`', 'did you mean `apis`?'),
  edit('Apis for apis', 'apis:\n', '«Apis»:\n', 'did you mean `apis`?'),
  edit('gatway', 'gateway:\n', '«gatway»:\n', 'did you mean `gateway`?'),
  edit('edcit', 'edict: 1\n', '«edcit»: 1\n', 'did you mean `edict`?'),
  edit('version for edict', 'edict: 1\n', '«version»: 1\n', 'did you mean `edict`?'),
  edit('end point', '  endpoint: https', '  «endPoint»: https', 'did you mean `endpoint`?'),
  edit('project_id', '  project: p1\n', '  «project_id»: p1\n', 'did you mean `project`?'),
  edit('projectId', '  project: p1\n', '  «projectId»: p1\n', 'did you mean `project`?'),
  edit('instance_id', '  instance: i1\n', '  «instance_id»: i1\n', 'did you mean `instance`?'),
  edit('pruen', 'prune: false\n', '«pruen»: false\n', 'did you mean `prune`?'),
  edit('guard', 'guards:\n', '«guard»:\n', 'did you mean `guards`?'),
  edit('max_offline', '  maxOffline: 5\n', '  «max_offline»: 5\n', 'did you mean `maxOffline`?'),
  edit('max-offline', '  maxOffline: 5\n', '  «max-offline»: 5\n', 'did you mean `maxOffline`?'),
  edit('maxLost', '  maxRemoved: 30%\n', '  «maxLost»: 30%\n', 'unknown key `maxLost`'),
  edit('time_zone', '    timezone: Europe/Berlin\n', '    «timeZone»: Europe/Berlin\n', 'did you mean `timezone`?'),
  edit('freezes', 'freeze:\n', '«freezes»:\n', 'did you mean `freeze`?'),
  edit('soaks', '    soak: 10m\n', '    «soaktime»: 10m\n', 'unknown key `soaktime`'),
  edit('env for environment in a step', '  - environment: test\n', '  - «env»: test\n', 'did you mean `environment`?'),
  edit('name for environment in a step', '  - environment: test\n', '  - «name»: test\n', 'unknown key `name`', '`environment`'),
  edit('api_id', '    id: c1\n', '    «api_id»: c1\n', 'did you mean `id`?'),
  edit('ID', '    id: c1\n', '    «ID»: c1\n', 'did you mean `id`?'),
  edit('status for state', '{ state: online, revision: r7 }', '{ «status»: online, revision: r7 }', 'did you mean `state`?'),
  edit('rev for revision', '{ state: online, revision: r7 }', '{ state: online, «rev»: r7 }', 'did you mean `revision`?'),
  edit('description for remark', '    remark: first release\n', '    «description»: first release\n', 'did you mean `remark`?'),
  edit('protect', 'protected: true', '«protect»: true', 'did you mean `protected`?'),
  edit('a key with a hyphen', '  timeout: 30s\n', '  «time-out»: 30s\n', 'did you mean `timeout`?'),
  edit('comment for remark', '    remark: first release\n', '    «comment»: first release\n', 'did you mean `remark`?'),
  edit('rate for limit', '  limit: {', '  «rate»: {', 'unknown key `rate`', '`limit`'),
  edit('includes', 'prune: false\n', 'prune: false\n«includes»: [apis/x.yaml]\n', 'did you mean `include`?'),
  edit('an unknown key', 'prune: false\n', 'prune: false\n«colour»: blue\n', 'unknown key `colour`', 'allowed keys:'),
  edit('a key with an invisible space', '    id: c1\n', '    «"id "»: c1\n', 'a space', '`id`'),

  // Keys at the wrong level.
  edits(
    'guards under environments',
    [
      ['guards:\n  maxOffline: 5\n  maxRemoved: 30%\n', ''],
      ['prune: false\n', ''],
      ['  test: e1\n', '  test: e1\n  «guards»:\n    maxOffline: 5\n    maxRemoved: 30%\n'],
    ],
    '`guards` is a setting of the file, not an environment',
    'remove its indentation',
  ),
  edits(
    'prune under environments',
    [['prune: false\n', '  «prune»: false\n']],
    '`prune` is a setting of the file, not an environment',
    'remove its indentation',
  ),
  edits('refresh under environments', [['prune: false\n', '  «refresh»: 5m\n']], '`refresh` is a setting of the file, not an environment'),
  edits(
    'rollout under environments',
    [
      ['prune: false\n', '  «rollout»: [test, release]\n'],
      [from('rollout:', 'freeze:'), ''],
    ],
    '`rollout` is a setting of the file, not an environment',
  ),
  edits('drift under environments', [['prune: false\n', '  «drift»: correct\n']], '`drift` is a setting of the file, not an environment'),
  edits(
    'include under environments',
    [['prune: false\n', '  «include»: [apis/x.yaml]\n']],
    '`include` is a setting of the file, not an environment',
  ),
  edits(
    'freeze under environments',
    [
      [from('rollout:', 'apis:'), ''],
      ['prune: false\n', '  «freeze»:\n    - { from: 2026-12-18T18:00, to: 2027-01-04T08:00 }\n'],
    ],
    '`freeze` is a setting of the file, not an environment',
  ),
  file(
    'apis under environments',
    `${from('edict:', 'prune:')}  «apis»:\n    carts:\n      id: c1\n      environments: { test: online }\n`,
    '`apis` is a setting of the file, not an environment',
  ),
  file('prune under apis', `${baseFile}  «prune»: true\n`, '`prune` is a setting of the file, not an API', 'remove its indentation'),
  file(
    'guards under apis',
    `${from('edict:', 'guards:')}${apis}  «guards»:\n    maxOffline: 3\n`,
    '`guards` is a setting of the file, not an API',
  ),
  file(
    'rollout under apis',
    `${from('edict:', 'rollout:')}${apis}  «rollout»: [test, release]\n`,
    '`rollout` is a setting of the file, not an API',
  ),
  edits(
    'gateway under edict',
    [
      ['prune: false\n', ''],
      ['  timeout: 30s\n', '  timeout: 30s\n  «prune»: false\n'],
    ],
    '`prune`',
    'top level',
  ),
  edits(
    'limit at the top',
    [
      ['  limit: { calls: 10, per: 1s, concurrency: 4 }\n', ''],
      ['prune: false\n', '«limit»: { calls: 10, per: 1s }\n'],
    ],
    'unknown key `limit`',
    '`gateway`',
  ),
  edit(
    'calls in the gateway',
    '  limit: { calls: 10, per: 1s, concurrency: 4 }\n',
    '  «calls»: 10\n',
    'unknown key `calls`',
    '`gateway.limit`',
  ),
  edits(
    'maxOffline at the top',
    [['guards:\n  maxOffline: 5\n  maxRemoved: 30%\n', '«maxOffline»: 5\n']],
    'unknown key `maxOffline`',
    '`guards`',
  ),
  edit('protected in an API', '    id: c1\n', '    id: c1\n    «protected»: true\n', 'unknown key `protected`', '`environments`'),
  edit('soak at the top', 'prune: false\n', 'prune: false\n«soak»: 10m\n', 'unknown key `soak`', '`rollout`'),
  edit('state in an API', '    id: c1\n', '    id: c1\n    «state»: online\n', 'unknown key `state`', '`environments`'),
  edit('endpoint at the top', 'prune: false\n', 'prune: false\n«iam»: https://iam.example.com\n', 'unknown key `iam`', '`gateway`'),
  edit(
    'a state directly in an API',
    '    environments: { test: online, release: online }\n',
    '    «test»: online\n',
    '`test` is an environment',
    '`environments:`',
  ),
  edit(
    'states directly in an API',
    '    environments: { test: online, release: online }\n',
    '    «test»: online\n    release: online\n',
    '`test` is an environment',
    '`environments:`',
  ),
  file(
    'environments not indented',
    `${from('edict:', '  test: e1')}«test»: e1\nrelease: { id: e2 }\n${apis}`,
    '`test` is not indented',
    '`environments`',
  ),
  file(
    'the gateway not indented',
    `edict: 1\ngateway:\n«endpoint»: https://h\nproject: p\ninstance: i\n${from('environments:\n  test: e1', 'prune:')}${apis}`,
    '`endpoint` is not indented',
    '`gateway`',
  ),
  file(
    'APIs not indented',
    `${from('edict:', 'apis:')}apis:\n«carts»:\n  id: c1\n  environments: { test: online }\n`,
    '`carts` is not indented',
    '`apis`',
  ),
  file(
    'keys of an API not indented',
    `${from('edict:', 'apis:')}apis:\n  carts:\n  «id»: c1\n  environments: { test: online }\n`,
    '`id` is not indented',
    '`carts`',
  ),
  file(
    'publications not indented',
    `${from('edict:', 'apis:')}apis:\n  carts:\n    id: c1\n    environments:\n    «test»: online\n    release: online\n`,
    '`test` is not indented',
    '`environments`',
  ),
  file(
    'limits not indented',
    `${from('edict:', '  limit:')}  limit:\n  «calls»: 10\n  per: 1s\n${from('environments:\n  test: e1', 'prune:')}${apis}`,
    '`calls` is not indented',
    '`limit`',
  ),
  edit(
    'a second API indented into the first',
    '  invoices:\n    id: 9191cdb430724d4b8586ed7f1b962ca2\n    environments: { test: online, release: online }\n',
    '    «invoices»:\n      id: 9191cdb430724d4b8586ed7f1b962ca2\n      environments: { test: online, release: online }\n',
    '`invoices` looks like an API',
    '2 spaces',
  ),
  edit(
    'an API at the left margin',
    '  carts:\n    id: c1\n    environments:\n      test: { state: online, revision: r7 }\n',
    '«carts»:\n  id: c1\n  environments:\n    test: { state: online, revision: r7 }\n',
    '`carts` looks like an API',
    '`apis`',
  ),
  file(
    'environments of the last API at the left margin',
    `${from('edict:', '  carts:')}  carts:\n    id: c1\n«environments»:\n  test: online\n`,
    '`environments` is already defined at line 8',
    '`carts`',
    'indent',
  ),
  file(
    'environments of the last API at the level of APIs',
    `${from('edict:', '  carts:')}  carts:\n    id: c1\n  «environments»:\n    test: online\n`,
    '`environments`',
    '`carts`',
  ),

  // Duplicates.
  edit('a key twice', '    revision: r1\n', '    revision: r1\n    «revision»: r2\n', '`revision` is already defined at line 28'),
  file(
    'an API twice',
    `${baseFile}  «orders»:\n    id: x1\n    environments: { test: online }\n`,
    '`orders` is already defined at line 26',
  ),
  edit(
    'a publication twice',
    '      release: offline\n',
    '      release: offline\n      «release»: online\n',
    '`release` is already defined at line 32',
  ),
  edit('an environment twice', '  test: e1\n', '  test: e1\n  «test»: e3\n', '`test` is already defined at line 9'),
  file(
    'apis twice',
    `${baseFile}«apis»:\n  more:\n    id: m1\n    environments: { test: online }\n`,
    '`apis` is already defined at line 25',
    'move',
  ),
  edit('an ID twice in a flow map', '{ id: e2, protected: true }', '{ id: e2, «id»: e3 }', '`id` is already defined'),
  edit('a key in quotes twice', '    revision: r1\n', '    revision: r1\n    «"revision"»: r2\n', '`revision` is already defined'),
  file(
    'the next API without its name',
    `${from('edict:', '  carts:')}    «id»: c1\n    «environments»: { test: online }\n`.replace('«environments»', 'environments'),
    '`id` is already defined',
    'name',
  ),

  // Missing keys.
  file('no version', baseFile.replace('edict: 1\n', '').replace('gateway:', '«»gateway:'), 'missing key `edict`', 'edict: 1'),
  file('no gateway', baseFile.replace(gateway, '').replace('edict', '«»edict'), 'missing key `gateway`'),
  file('no apis', `${'«»'}${from('edict:', 'apis:')}`, 'missing key `apis`'),
  edit(
    'no instance',
    'gateway:\n  endpoint: https://roma.example.com\n  project: p1\n  instance: i1\n',
    '«gateway»:\n  endpoint: https://roma.example.com\n  project: p1\n',
    'missing key `instance` in `gateway`',
  ),
  edit(
    'an API without environments',
    '  carts:\n    id: c1\n    environments:\n      test: { state: online, revision: r7 }\n',
    '  «carts»:\n    id: c1\n',
    'missing key `environments` in `apis.carts`',
  ),
  edit(
    'an empty API',
    '  invoices:\n    id: 9191cdb430724d4b8586ed7f1b962ca2\n    environments: { test: online, release: online }\n',
    '  «invoices»:\n',
    '`invoices` is empty',
    '`environments`',
  ),
  edit('an empty gateway', gateway, '«gateway»:\n', '`gateway` is empty', '`endpoint`'),
  edits(
    'a freeze without an end',
    [
      ['    to: "0 8 * * MON"\n', ''],
      ['- name: weekend', '- «name»: weekend'.replace('«name»', '«»name')],
    ],
    'missing key `to`',
  ),
  edits(
    'empty environments of the file',
    [['environments:\n  test: e1\n  release: { id: e2, protected: true }\n', '«environments»:\n']],
    '`environments` is empty',
  ),
  file('an empty file', '«»', 'the file is empty'),
  file('a file of comments', '«»# edict: 1\n', 'the file is empty'),
  file('a list', '«- edict»: 1\n'.replace('«- edict»: 1', '«- edict: 1»'), 'the file is a list', 'key: value'),
  file('a text', '«hello»\n', 'the file is a string', 'key: value'),

  // Wrong kinds of values.
  file(
    'apis as a list',
    `${from('edict:', 'apis:')}apis:\n  «- id: c1\n    environments: { test: online }»\n`
      .replace('»\n', '\n')
      .replace('- id: c1\n', '- id: c1»\n'),
    '`apis` is a list',
    'NAME:',
  ),
  file(
    'environments as a list',
    `${from('edict:', '  test: e1')}  «- test»\n  - release\n${from('prune:', 'rollout:')}${apis}`,
    '`environments` is a list',
    'NAME:',
  ),
  edit(
    'environments of an API as a list',
    '    environments: { test: online, release: online }\n',
    '    environments: «[test, release]»\n',
    '.environments` is a list',
    'test: online',
  ),
  edit(
    'environments of an API as one name',
    '    environments: { test: online, release: online }\n',
    '    environments: «test»\n',
    '.environments` is a string',
    'test: online',
  ),
  edits('a rollout as a text', [[from('rollout:', 'freeze:'), 'rollout: «test, release»\n']], '`rollout` is a string', '[test, release]'),
  edits('a rollout as a map', [[from('rollout:', 'freeze:'), 'rollout:\n  «test: release»\n']], '`rollout` is a map', '- '),
  edits('a rollout of one step', [[from('rollout:', 'freeze:'), 'rollout: «[test]»\n']], 'at least 2'),
  edits(
    'a rollout in lines without dashes',
    [
      [
        from('rollout:', 'freeze:'),
        'rollout:\n  «test»\n  release\n'
          .replace('«test»\n  release', '«test\n  release»')
          .replace('test\n', 'test»\n')
          .replace('release»', 'release'),
      ],
    ],
    '`rollout` is a string',
    '- ',
  ),
  edit('an include as a text', 'prune: false\n', 'prune: false\ninclude: «apis/x.yaml»\n', '`include` is a string', '[apis/x.yaml]'),
  edit(
    'a freeze as a map',
    'freeze:\n  - name: weekend\n    from: "0 18 * * FRI"\n    to: "0 8 * * MON"\n    timezone: Europe/Berlin\n',
    'freeze:\n  «name»: weekend\n  from: "0 18 * * FRI"\n  to: "0 8 * * MON"\n',
    '`freeze` is a map',
    '- ',
  ),
  edit('an endpoint as gateway', gateway, 'gateway: «https://roma.example.com»\n', '`gateway` is a string', 'endpoint:'),
  edit(
    'an ID as API',
    '  invoices:\n    id: 9191cdb430724d4b8586ed7f1b962ca2\n    environments: { test: online, release: online }\n',
    '  invoices: «9191»\n',
    '.invoices` is a string',
    'id: 9191',
  ),
  edit(
    'one environment of a freeze as a text',
    '    timezone: Europe/Berlin\n',
    '    environments: «release»\n',
    '.environments` is a string',
    '[release]',
  ),

  // Names.
  edit(
    'a misspelt environment',
    '      release: offline\n',
    '      «relase»: offline\n',
    '`relase` is not declared',
    'did you mean `release`?',
  ),
  edit(
    'an environment in capitals',
    '      release: offline\n',
    '      «Release»: offline\n',
    '`Release` is not declared',
    'did you mean `release`?',
  ),
  edit(
    'prod for release',
    '      release: offline\n',
    '      «production»: offline\n',
    '`production` is not declared',
    'declared: test, release',
  ),
  edit('the ID of an environment', '      release: offline\n', '      «e2»: offline\n', '`e2` is not declared', 'did you mean `release`?'),
  edit('a misspelt environment in the rollout', '  - release\n', '  - «relese»\n', '`relese` is not declared', 'did you mean `release`?'),
  edit('a repeated step', '  - release\n', '  - «test»\n', '`test` is already in `rollout`'),
  edit(
    'a misspelt environment in a freeze',
    '    timezone: Europe/Berlin\n',
    '    environments: [«relese»]\n',
    '`relese` is not declared',
    'did you mean `release`?',
  ),
  edit('a name with a space', '  carts:\n', '  «shopping carts»:\n', 'a space', '`shopping-carts`'),
  edit('a name with a colon', '  carts:\n', '  «shop:carts»:\n', '`:`'),
  edit('a name with an at sign', '  carts:\n', '  «carts@v2»:\n', '`@`'),
  edit('a name that starts with a dash', '  carts:\n', '  «-carts»:\n', '`-`'),
  edit('a soak after the last step', '  - release\n', '  - environment: release\n    «soak»: 5m\n', '`soak` has no effect', 'remove'),
  edit('a name beside an ID', '    id: c1\n', '    id: c1\n    «name»: Carts\n', '`name` has no effect beside `id`'),
  edit(
    'an anchor under an unknown key',
    'prune: false\n',
    'prune: false\n«x-defaults»: &d { test: online }\n',
    'unknown key `x-defaults`',
    'anchor',
  ),
  edit('a merge key without an alias', '    id: c1\n', '    id: c1\n    <<: «defaults»\n', '`<<`', '*defaults'),
  edit('a merge key with a list of texts', '    id: c1\n', '    id: c1\n    <<: [«a»]\n', '`<<`'),
  several(
    edits('two mistakes', [
      ['      test: online\n      rel', '      test: «onlin»\n      rel'],
      ['id: c1', 'id: «c 1»'],
    ]),
    ['did you mean `online`?'],
    ['a space'],
  ),
  several(
    edits('two mistakes in the YAML of two APIs', [
      ['    revision: r1\n', '    «revision:r1»\n'],
      ['{ test: online, release: online }', '«{» test: online, release: online'],
    ]),
    ['a space is missing after the colon'],
    ['the `{` that opens here is not closed'],
  ),
  several(
    edits('an unset variable and a misspelt key', [
      ['project: p1', 'project: «${HW_PROJECT_ID}»'],
      ['prune: false', '«pruen»: false'],
    ]),
    ['is not set'],
    ['did you mean `prune`?'],
  ),
  edits(
    'one misspelt environment in two APIs',
    [
      ['      release: offline\n', '      «relese»: offline\n'],
      ['{ test: online, release: online }', '{ test: online, relese: online }'],
    ],
    '`relese` is not declared',
    'line 35',
  ),
];
