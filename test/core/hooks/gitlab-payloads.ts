/** Bodies as GitLab's documentation has them (https://docs.gitlab.com/user/project/integrations/webhook_events/), shortened. */

const project = {
  id: 15,
  name: "Diaspora",
  web_url: "http://example.com/mike/diaspora",
  git_http_url: "http://example.com/mike/diaspora.git",
  namespace: "Mike",
  visibility_level: 0,
  path_with_namespace: "mike/diaspora",
  default_branch: "master",
};

export const push = {
  object_kind: "push",
  event_name: "push",
  before: "95790bf891e76fee5e1747ab589903a6a1f80f22",
  after: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
  ref: "refs/heads/master",
  ref_protected: true,
  checkout_sha: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
  user_id: 4,
  user_name: "John Smith",
  user_username: "jsmith",
  user_email: "john@example.com",
  project_id: 15,
  project,
  commits: [
    {
      id: "b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327",
      message: "Update Catalan translation to e38cb41.",
      added: ["CHANGELOG"],
      modified: ["app/controller/application.rb"],
      removed: [],
    },
    {
      id: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
      message: "fixed readme",
      added: ["CHANGELOG"],
      modified: ["app/controller/application.rb"],
      removed: [],
    },
  ],
  total_commits_count: 4,
};

export const tagPush = {
  object_kind: "tag_push",
  event_name: "tag_push",
  before: "0000000000000000000000000000000000000000",
  after: "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7",
  ref: "refs/tags/v1.0.0",
  checkout_sha: "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7",
  user_id: 1,
  user_username: "jsmith",
  project_id: 15,
  project,
  commits: [],
  total_commits_count: 0,
};

export const mergeRequest = {
  object_kind: "merge_request",
  event_type: "merge_request",
  user: { id: 1, name: "Administrator", username: "root", email: "admin@example.com" },
  project,
  object_attributes: {
    id: 99,
    iid: 1,
    target_branch: "master",
    source_branch: "ms-viewport",
    source_project_id: 14,
    target_project_id: 15,
    title: "MS-Viewport",
    state: "opened",
    action: "open",
    url: "http://example.com/diaspora/merge_requests/1",
    last_commit: { id: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", message: "fixed readme" },
  },
  labels: [{ id: 206, title: "API", color: "#ffffff" }],
};

export const noteOnMerge = {
  object_kind: "note",
  event_type: "note",
  user: { id: 1, name: "Administrator", username: "root" },
  project_id: 5,
  project: { ...project, id: 5 },
  object_attributes: {
    id: 1244,
    note: "/muster launch gpu",
    noteable_type: "MergeRequest",
    action: "create",
    url: "http://example.com/gitlab-org/gitlab-test/merge_requests/1#note_1244",
  },
  merge_request: {
    id: 7,
    iid: 1,
    target_branch: "markdown",
    source_branch: "master",
    source_project_id: 4,
    target_project_id: 5,
    title: "Tempora et eos debitis quae laborum et.",
    last_commit: { id: "562e173be03b8ff2efb05345d12df18815438a4b", message: "Merge branch" },
  },
};

export const pipeline = {
  object_kind: "pipeline",
  object_attributes: {
    id: 31,
    iid: 3,
    ref: "master",
    tag: false,
    sha: "bcbb5ec396a2c0f828686f14fac9b80b780504f2",
    status: "success",
  },
  user: { id: 1, name: "Administrator", username: "root" },
  project,
  commit: { id: "bcbb5ec396a2c0f828686f14fac9b80b780504f2" },
};
